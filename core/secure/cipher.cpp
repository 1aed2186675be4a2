#include "secure/cipher.hpp"

#include <string>

#include "secure/cipher_engines.hpp"

namespace cardea::secure {

Result<CipherChoice> parse_cipher_choice(std::string_view text) {
  if (text == "auto") return CipherChoice::automatic;
  if (text == "ipsec-mb") return CipherChoice::ipsec_mb;
  if (text == "evp") return CipherChoice::evp;
  return Error{0, "cipher engine is auto, ipsec-mb or evp, not " + std::string(text)};
}

Result<std::unique_ptr<CipherEngine>> make_cipher_engine(CipherChoice choice) {
  if (choice != CipherChoice::evp) {
    if (auto engine = make_ipsec_mb_engine()) return engine;
    if (choice == CipherChoice::ipsec_mb) return Error{0, "intel-ipsec-mb is not built in, or not for this processor"};
  }
  return make_evp_engine();
}

}  // namespace cardea::secure
