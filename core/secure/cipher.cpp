#include "secure/cipher.hpp"

#include <string>
#include <utility>

#include "secure/cipher_engines.hpp"

namespace cardea::secure {

Result<CipherChoice> parse_cipher_choice(std::string_view text) {
  constexpr std::pair<std::string_view, CipherChoice> names[]{{"auto", CipherChoice::automatic},
                                                              {"ipsec-mb", CipherChoice::ipsec_mb},
                                                              {"ipsec-mb-avx512", CipherChoice::ipsec_mb_avx512},
                                                              {"ipsec-mb-avx2", CipherChoice::ipsec_mb_avx2},
                                                              {"ipsec-mb-sse", CipherChoice::ipsec_mb_sse},
                                                              {"evp", CipherChoice::evp}};
  for (const auto& [name, choice] : names)
    if (text == name) return choice;
  return Error{0, "cipher engine is auto, ipsec-mb (-avx512, -avx2, -sse) or evp, not " + std::string(text)};
}

Result<std::unique_ptr<CipherEngine>> make_cipher_engine(CipherChoice choice) {
  if (choice != CipherChoice::evp) {
    if (auto engine = make_ipsec_mb_engine(choice)) return engine;
    if (choice != CipherChoice::automatic) return Error{0, "intel-ipsec-mb is not built in, or not for this processor"};
  }
  return make_evp_engine();
}

}  // namespace cardea::secure
