// cardea-load: simulates rooms against a server of the Janus API and tells what the server spends and what arrives.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fstream>

#include "scenario.hpp"
#include "text_scenario.hpp"

namespace {

using namespace cardea;

Json to_json(const load::Options& options, load::Outcome& outcome) {
  auto& in = outcome.received;
  const auto share = [](uint64_t part, uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const auto latency = [](load::Percentiles& p) {
    return Json::object("p50_ms", p.ms(50), "p95_ms", p.ms(95), "p99_ms", p.ms(99), "count", p.count());
  };
  Json out = Json::object("rooms", options.rooms, "publishers", outcome.publishers, "subscribers", outcome.subscribers,
                          "srtp", options.srtp, "seconds", outcome.seconds, "server_cpu_seconds", outcome.cpu_seconds);
  if (options.signalling > 0) {
    out.set("requests", outcome.requests);
    out.set("requests_per_second", static_cast<double>(outcome.requests) / outcome.seconds);
    if (outcome.cpu_seconds > 0)
      out.set("requests_per_cpu_second", static_cast<double>(outcome.requests) / outcome.cpu_seconds);
    return out;
  }
  out.set("forwarded_packets", outcome.forwarded);
  out.set("forwarded_per_second", static_cast<double>(outcome.forwarded) / outcome.seconds);
  if (outcome.forwarded > 0)
    out.set("cpu_us_per_packet", outcome.cpu_seconds * 1e6 / static_cast<double>(outcome.forwarded));
  out.set("server_cpu_share", outcome.cpu_seconds / outcome.seconds);
  out.set("load_cpu_share", outcome.own_cpu_seconds / outcome.seconds);
  out.set("loss", 1.0 - share(in.packets, in.expected));
  out.set("received", Json::object("packets", in.packets, "expected", in.expected, "duplicates", in.duplicates,
                                   "reordered", in.reordered, "corrupt", in.corrupt, "undecryptable", in.undecryptable,
                                   "dropped", in.dropped, "recovered", in.recovered));
  out.set("video_latency", latency(in.video_latency));
  out.set("audio_latency", latency(in.audio_latency));
  if (in.recovered > 0) out.set("recovery", latency(in.recovery));
  out.set("join", latency(outcome.join));
  out.set("all_joined_ms", to_ms(outcome.all_joined));
  if (options.first > 0)
    out.set("while_joining", Json::object("loss", 1.0 - share(outcome.early.packets, outcome.early.expected), "packets",
                                          outcome.early.packets, "cpu_seconds", outcome.joining_cpu_seconds,
                                          "video_latency", latency(outcome.early.video_latency)));
  out.set("churned", outcome.churned);
  if (options.pid > 0) {
    const auto grown = static_cast<double>(outcome.resident_with_all) - static_cast<double>(outcome.resident_before);
    out.set("resident_before", outcome.resident_before);
    out.set("resident_with_all", outcome.resident_with_all);
    out.set("resident_measured", outcome.resident_measured);
    out.set("resident_after", outcome.resident_after);
    out.set("resident_per_peer", grown / (outcome.publishers + outcome.subscribers));
    out.set("descriptors_before", outcome.descriptors_before);
    out.set("descriptors_with_all", outcome.descriptors_with_all);
    out.set("descriptors_measured", outcome.descriptors_measured);
    out.set("descriptors_after", outcome.descriptors_after);
  }
  return out;
}

Json to_json(const load::TextOptions& options, load::TextOutcome& outcome) {
  auto& in = outcome.received;
  const auto percentiles = [](load::Percentiles& p) {
    return Json::object("p50_ms", p.ms(50), "p95_ms", p.ms(95), "p99_ms", p.ms(99), "max_ms", p.ms(100), "count",
                        p.count());
  };
  Json out =
      Json::object("members", options.members, "by", options.api ? "api" : "data channel", "seconds", outcome.seconds,
                   "server_cpu_seconds", outcome.cpu_seconds, "server_cpu_share", outcome.cpu_seconds / outcome.seconds,
                   "load_cpu_share", outcome.own_cpu_seconds / outcome.seconds, "join", percentiles(outcome.join));
  if (options.speakers > 0 && options.rate > 0) {
    out.set("said", outcome.said).set("expected", outcome.expected).set("received", in.messages);
    out.set("missing", outcome.missing).set("out_of_order", in.out_of_order).set("corrupt", in.corrupt);
    out.set("refused", outcome.refused).set("latency", percentiles(in.latency));
    if (in.messages > 0) out.set("cpu_us_per_message", outcome.cpu_seconds * 1e6 / static_cast<double>(in.messages));
  }
  if (options.moves > 0) {
    out.set("states_shown", outcome.shown).set("states_expected", outcome.expected_states);
    out.set("states_received", in.states).set("state_batches", in.batches).set("state_bytes", in.state_bytes);
    out.set("state_latency", percentiles(in.state_latency));
  }
  out.set("errors", in.errors);
  if (in.errors > 0) out.set("first_error", in.first_error);
  if (options.stalled > 0)
    out.set("stalled", options.stalled)
        .set("stalled_closed", outcome.stalled_closed)
        .set("stalled_closed_after", percentiles(outcome.stalled_for));
  out.set("resident_before", outcome.resident_before)
      .set("resident_with_all", outcome.resident_with_all)
      .set("resident_most", outcome.resident_most);
  return out;
}

void add_options(CLI::App& app, load::TextOptions& options) {
  app.add_option("--text-plugin", options.plugin)->capture_default_str();
  app.add_option("--room", options.room)->capture_default_str();
  app.add_option("--members", options.members)->capture_default_str()->check(CLI::Range(1, 65534));
  app.add_option("--speakers", options.speakers, "members that write")->capture_default_str();
  app.add_option("--rate", options.rate, "messages per second of each")->capture_default_str();
  app.add_option("--size", options.size, "bytes of a text")->capture_default_str()->check(CLI::Range(64, 60000));
  app.add_option("--moves", options.moves, "updates per second of each member's state, 0: none")->capture_default_str();
  app.add_flag("--api", options.api, "members without a peer connection");
  app.add_option("--per-socket", options.per_socket, "of those, on one WebSocket")->capture_default_str();
  app.add_option("--stalled", options.stalled, "members that read nothing once all have joined")->capture_default_str();
}

void print(JsonView json, const std::string& indent = {}) {
  json.each_member([&](std::string_view name, JsonView value) {
    if (value.is_object()) {
      std::printf("%s%.*s\n", indent.c_str(), static_cast<int>(name.size()), name.data());
      print(value, indent + "  ");
    } else {
      std::printf("%s%-26.*s %s\n", indent.c_str(), static_cast<int>(name.size()), name.data(), value.text().c_str());
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  load::Options options;
  double measure = 10, warm_up = 2, join_timeout = 60;
  CLI::App app{"Simulates rooms of publishers and subscribers against a server of the Janus API"};
  app.add_option("--url", options.url, "WebSocket of the server")->capture_default_str();
  app.add_option("--plugin", options.plugin, "video room plugin")->capture_default_str();
  app.add_option("--rooms", options.rooms)->capture_default_str();
  app.add_option("--publishers", options.publishers, "per room")->capture_default_str();
  app.add_option("--subscribers", options.subscribers, "per room, each receives all publishers of the room")
      ->capture_default_str();
  app.add_option("--first", options.first,
                 "subscribers per room that join before, and are measured while, the others do")
      ->capture_default_str();
  app.add_option("--first-room", options.first_room, "number of the first room")->capture_default_str();
  app.add_option("--seconds", measure, "how long to measure")->capture_default_str();
  app.add_option("--warm-up", warm_up, "seconds between the last join and measuring")->capture_default_str();
  app.add_option("--join-timeout", join_timeout, "seconds until all must have media")->capture_default_str();
  app.add_option("--join-rate", options.join_rate, "joins per second, 0: at once")->capture_default_str();
  app.add_option("--churn", options.churn, "subscribers replaced per second while measuring")->capture_default_str();
  app.add_option("--video-bps", options.video_bps, "bit/s of VP8 per publisher, 0: none")->capture_default_str();
  app.add_option("--fps", options.fps)->capture_default_str()->check(CLI::Range(1, 120));
  app.add_option("--audio", options.audio, "50 Opus packets per second")->capture_default_str();
  app.add_option("--srtp", options.srtp, "gcm128, gcm256 or cm80")->capture_default_str();
  app.add_option("--sample", options.sample, "subscribers per room that check every packet")->capture_default_str();
  app.add_option("--one-of", options.one_of,
                 "packets that the others take: one of so many, the rest is dropped in the kernel; 0: none")
      ->capture_default_str();
  app.add_option("--drop", options.drop, "share of video packets the sample pretends to lose")->capture_default_str();
  app.add_option("--bind", options.bind,
                 "own addresses: the first for publishers and sample, the others in turn for the rest");
  app.add_option("--gro", options.gro, "UDP_GRO on the clients' sockets")->capture_default_str();
  app.add_option("--after-join", options.after_join, "shell command, run once when all have media");
  app.add_option("--pid", options.pid, "process of the server: its CPU and memory are told");
  app.add_option("--signalling", options.signalling, "no media: so many requests always under way");
  app.add_option("--json", options.json, "write the result as JSON to this file, - for standard output");
  load::TextOptions text;
  CLI::App& text_room = *app.add_subcommand("text", "a text room instead: members write to each other and move");
  text_room.fallthrough();
  add_options(text_room, text);
  CLI11_PARSE(app, argc, argv);
  const auto seconds = [](double value) { return Duration(static_cast<int64_t>(value * 1e9)); };
  options.measure = seconds(measure);
  options.warm_up = seconds(warm_up);
  options.join_timeout = seconds(join_timeout);
  try {
    Json json;
    if (text_room) {
      load::TextOutcome outcome = load::TextScenario(options, text).run();
      json = to_json(text, outcome);
    } else {
      load::Outcome outcome = load::Scenario(options).run();
      json = to_json(options, outcome);
    }
    if (options.json == "-")
      std::printf("%s\n", json.text(JsonStyle::indented).c_str());
    else
      print(json);
    if (!options.json.empty() && options.json != "-")
      std::ofstream(options.json) << json.text(JsonStyle::indented) << "\n";
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cardea-load: %s\n", error.what());
    return 1;
  }
  return 0;
}
