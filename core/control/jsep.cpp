#include "control/jsep.hpp"

#include <optional>
#include <tuple>

#include "cardea/schema.hpp"
#include "control/envelope.hpp"

namespace cardea::control {
namespace {

struct Members {
  std::string type, sdp;
  std::optional<bool> trickle;
  std::optional<std::string> rid_order;
  std::optional<bool> force_relay, e2ee;
};

constexpr auto members = std::tuple{required("type", &Members::type),
                                    required("sdp", &Members::sdp, at_most_bytes(any_size)),  // the message is bounded
                                    optional("trickle", &Members::trickle),
                                    optional("rid_order", &Members::rid_order),
                                    optional("force_relay", &Members::force_relay),
                                    optional("e2ee", &Members::e2ee)};

bool same_word(std::string_view given, std::string_view word) {
  if (given.size() != word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    char c = given[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c != word[i]) return false;
  }
  return true;
}

// [{"mindex": 1, "svc": "L3T3"}] or with "mid"; of any other shape it counts for nothing.
void read_svc(JsonView svc, sdp::JsepOptions& to) {
  if (!svc.is_array()) return;
  svc.each_element([&](JsonView one) {
    if (!one["svc"].is_string()) return;
    if (one["mid"].is_string())
      to.svc_mids.emplace_back(one["mid"].string());
    else if (one["mindex"].is_integer() && one["mindex"].integer() >= 0)
      to.svc_indices.push_back(static_cast<size_t>(one["mindex"].integer()));
  });
}

// "completed" in any form, or not an object at all, is the end of the candidates.
Status check_candidate(JsonView candidate) {
  if (!candidate.is_object() || candidate["completed"]) return {};
  JsonView mid = candidate["sdpMid"], index = candidate["sdpMLineIndex"], line = candidate["candidate"];
  auto given = [](JsonView value) { return value && !value.is_null(); };
  if (given(mid) && !mid.is_string()) return schema::wrong_type("sdpMid", "string", {});
  if (Status status = fits("sdpMid", mid.string(), max_mid); !status) return status;
  if (!given(mid) && !given(index))
    return Error{code::missing_element, "Missing mandatory element (sdpMid or sdpMLineIndex)"};
  if (!given(mid) && (!index.is_integer() || index.integer() < 0))
    return schema::wrong_type("sdpMLineIndex", "positive integer", {});
  if (!given(line)) return Error{code::missing_element, "Missing mandatory element (candidate)"};
  if (!line.is_string()) return schema::wrong_type("candidate", "string", {});
  return {};
}

}  // namespace

Result<ClientJsep> read_jsep(JsonView jsep) {
  if (!jsep.is_object()) return Error{code::invalid_json_object, "The jsep is not an object"};
  auto read_members = read<Members>(jsep, members, {});
  if (!read_members) return read_members.error();
  ClientJsep out;
  if (same_word(read_members->type, "offer"))
    out.is_offer = true;
  else if (!same_word(read_members->type, "answer"))
    return Error{code::jsep_type, text("Unknown jsep type '", read_members->type, "'")};
  out.sdp = std::move(read_members->sdp);
  out.options.trickle = read_members->trickle.value_or(true);
  out.options.e2ee = read_members->e2ee.value_or(false);
  out.options.low_to_high_rids = read_members->rid_order == "lmh";
  read_svc(jsep["svc"], out.options);
  return out;
}

Status check_trickle(JsonView request, bool described) {
  JsonView one = request["candidate"], many = request["candidates"];
  if (!one && !many) return Error{code::missing_element, "Missing mandatory element (candidate or candidates)"};
  if (one && many) return Error{code::invalid_json, "Both candidate and candidates are given"};
  if (!described) return {};
  if (many && !many.is_array()) return schema::wrong_type("candidates", "array", {});
  return one ? check_candidate(one) : Status{};
}

}  // namespace cardea::control
