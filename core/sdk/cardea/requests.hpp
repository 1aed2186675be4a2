// A plugin's requests as a table: a verb is a row of name, fields, handler and who may ask.
//
//   const Verbs<Seat> verbs = Verbs<Seat>({.unknown = 423, .missing = 429, .invalid = 430}, "videoroom")
//       .answer("list", list_fields, list)                       Result<Json>(Seat&, const List&, const Message&)
//       .event("join", join_fields, join, Role::none);           Result<Event>(Seat&, const Join&, const Message&)
//
// answer: synchronous, the result is in the "success". event: "ack" now, the result as an event after it; a handler
// that has nothing to say now returns an Event without data. Handlers are free functions or members of Seat.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "cardea/plugin.hpp"
#include "cardea/schema.hpp"

namespace cardea {

struct VerbCodes {
  int unknown = 0;  // no such verb
  int missing = 0;  // no request, or a field that must be there is not
  int invalid = 0;  // a field of the wrong type or value
  bool string_ids = false;
};

namespace detail {
template <class T>
struct handler_request;
template <class R, class Seat, class Request>
struct handler_request<R (*)(Seat&, const Request&, const Message&)> {
  using type = Request;
};
template <class R, class Seat, class Request>
struct handler_request<R (Seat::*)(const Request&, const Message&)> {
  using type = Request;
};
}  // namespace detail

// Seat: who asks. If it has `Status admit(const std::string& verb, unsigned roles)`, that is called before an event
// verb is read, and its error wins: it tells who may ask what. If it has `Sizes sizes()`, those bound what is read.
template <class Seat>
class Verbs {
public:
  // `key` is the member that names the plugin in its answers: {"videoroom": "event", "error_code": ...}.
  Verbs(VerbCodes codes, std::string key) : codes_(codes), key_(std::move(key)) {}

  template <class Fields, class Handler>
  Verbs&& answer(const char* name, const Fields& fields, Handler handler) && {
    return std::move(*this).row(name,
                                {.run = [this_codes = codes_, fields, handler](Seat& seat, const Message& message) {
                                  using Request = typename detail::handler_request<Handler>::type;
                                  Result<Event> out = Event{};
                                  auto request = read<Request>(message.body, fields, options(this_codes, seat));
                                  if (!request) return Result<Event>(request.error());
                                  Result<Json> data = std::invoke(handler, seat, *request, message);
                                  if (!data) return Result<Event>(data.error());
                                  out->data = std::move(*data);
                                  return out;
                                }});
  }

  template <class Fields, class Handler, class... Roles>
  Verbs&& event(const char* name, const Fields& fields, Handler handler, Roles... roles) && {
    return std::move(*this).row(name,
                                {.asynchronous = true,
                                 .roles = (0u | ... | static_cast<unsigned>(roles)),
                                 .run = [this_codes = codes_, fields, handler](Seat& seat, const Message& message) {
                                   using Request = typename detail::handler_request<Handler>::type;
                                   auto request = read<Request>(message.body, fields, options(this_codes, seat));
                                   if (!request) return Result<Event>(request.error());
                                   return Result<Event>(std::invoke(handler, seat, *request, message));
                                 }});
  }

  // Runs the verb that the body names in "request" (any case).
  Reply run(Seat& seat, const Message& message) const {
    JsonView request = message.body["request"];
    if (!request || request.is_null()) return refused({codes_.missing, "Missing mandatory element (request)"});
    if (!request.is_string()) return refused({codes_.invalid, "Invalid element type (request should be a string)"});
    return run(request.string(), seat, message);
  }

  Reply run(std::string_view request, Seat& seat, const Message& message) const {
    std::string verb = lower(request);
    auto row = rows_.find(verb);
    if (row == rows_.end()) return refused({codes_.unknown, text("Unknown request '", request, "'")});
    Result<Event> result = call(verb, row->second, seat, message);
    if (!row->second.asynchronous) return result ? Reply::success(std::move(result->data)) : refused(result.error());
    if (!result) return Reply::later(Event{error_data(result.error()), {}, {}});
    if (!result->data) return Reply::later(std::nullopt);
    return Reply::later(std::move(*result));
  }

  // Does the body name a verb of this table?
  bool knows(JsonView body) const { return rows_.contains(lower(body["request"].string())); }

  Json error_data(const Error& error) const {
    return Json::object(key_.c_str(), "event", "error_code", error.code, "error", error.reason);
  }

private:
  struct Row {
    bool asynchronous = false;
    unsigned roles = 0;  // 0: anyone
    std::function<Result<Event>(Seat&, const Message&)> run;
  };

  static std::string lower(std::string_view verb) {
    std::string out(verb);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
  }
  static ReadOptions options(const VerbCodes& codes, const Seat& seat) {
    ReadOptions options{.missing = codes.missing, .invalid = codes.invalid, .string_ids = codes.string_ids};
    if constexpr (requires { seat.sizes(); }) options.sizes = seat.sizes();
    return options;
  }
  Verbs&& row(const char* name, Row row) && {
    rows_.emplace(name, std::move(row));
    return std::move(*this);
  }
  Result<Event> call(const std::string& verb, const Row& row, Seat& seat, const Message& message) const {
    if constexpr (requires { seat.admit(verb, row.roles); }) {
      if (row.asynchronous)
        if (Status admitted = seat.admit(verb, row.roles); !admitted) return admitted.error();
    }
    return row.run(seat, message);
  }
  Reply refused(const Error& error) const { return Reply::success(error_data(error)); }

  // given
  VerbCodes codes_;
  std::string key_;
  // state
  std::map<std::string, Row> rows_;
};

}  // namespace cardea
