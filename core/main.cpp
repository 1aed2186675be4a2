// Starts the house, waits for a signal, stops it in reverse order. The only place where exceptions end.
#include <sched.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/clock.hpp"
#include "config.h"
#include "control/config.hpp"
#include "control/gateway.hpp"
#include "control/json_memory.hpp"
#include "control/log_sink.hpp"
#include "control/media_setup.hpp"
#include "control/modules.hpp"
#include "secure/certificate.hpp"
#include "worker/data_thread.hpp"
#include "worker/processor_thread.hpp"
#include "worker/udp_socket.hpp"

namespace cardea {
namespace {

using control::ConfigError;
using control::Configuration;
using control::Gateway;
using control::ModuleFile;
using control::Settings;

struct Options {
  std::string config;
  std::vector<std::string> set;
  bool check_config = false;
  bool list_settings = false;
};

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw ConfigError(result.error().reason);
  return std::move(*result);
}

// A descriptor that is readable once someone wants us to end. Before any thread is started: they inherit the mask.
int catch_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  return signalfd(-1, &ends, SFD_CLOEXEC);
}

// Each client is a descriptor, and the usual soft limit of 1,024 is for programs that select(). libwebsockets has a
// table with an entry for each that there could be, hence not more than a quarter of a million.
void raise_descriptor_limit() {
  constexpr rlim_t most = 262144;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= most) return;
  limit.rlim_cur = std::min(limit.rlim_max, most);
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::vector<int> processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> all;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) all.push_back(i);
  return all;
}

Settings read_core_settings(Configuration& configuration, std::vector<std::string>& warnings) {
  std::vector<SettingInfo> known;
  control::list_settings(known);
  warnings = configuration.leave_out_meaningless("cardea", known);
  Settings settings;
  if (auto wrong = control::read_settings(configuration.file("cardea"), settings))
    throw ConfigError(configuration.describe("cardea", *wrong));
  return settings;
}

// A module that does not fit: the gateway goes on without it, unless told otherwise.
void report(const std::string& failure, bool failures_matter) {
  if (failures_matter) throw ConfigError(failure);
  log::warn("modules", failure);
}

std::vector<ModuleFile> load(const std::vector<std::string>& folders, CardeaModuleKind kind,
                             const std::vector<std::string>& disabled, bool failures_matter) {
  control::Found found = control::load_modules(folders, kind, disabled);
  for (const std::string& failure : found.failures) report(failure, failures_matter);
  return std::move(found.modules);
}

// The plugins and transports, made and with their settings read.
class Modules {
public:
  Modules(Gateway& gateway, const Settings& settings) {
    const auto& general = settings.general;
    auto plugins = load(general.plugins_folder, cardea_plugin, settings.plugins.disable, general.exit_on_dl_error);
    auto transports =
        load(general.transports_folder, cardea_transport, settings.transports.disable, general.exit_on_dl_error);
    auto add = [&](Made made) {
      if (made.module == nullptr)
        report(text(made.file.path, ": made nothing"), general.exit_on_dl_error);
      else
        made_.push_back(std::move(made));
    };
    for (const ModuleFile& file : plugins) add({file, gateway.add_plugin(*file.door)});
    for (const ModuleFile& file : transports) add({file, gateway.add_transport(*file.door)});
  }

  void configure(Configuration& configuration) {
    for (Made& one : made_) {
      std::string name = one.file.short_name();
      std::vector<SettingInfo> known;
      one.module->list_settings(known);
      for (const std::string& warning : configuration.leave_out_meaningless(name, known)) log::warn("config", warning);
      if (Configured wrong = one.module->configure(configuration.file(name)))
        throw ConfigError(configuration.describe(name, *wrong));
    }
    for (const std::string& file : configuration.files()) {
      bool read = file == "cardea" || std::any_of(made_.begin(), made_.end(),
                                                  [&](const Made& one) { return one.file.short_name() == file; });
      if (read) continue;
      if (configuration.only_by_option(file)) throw ConfigError(text("--set ", file, ": there is no such module"));
      log::warn("config", file, ".cfg is not read: there is no such module");
    }
  }

  void list_settings(std::vector<SettingInfo>& to) const {
    for (const Made& one : made_) {
      std::vector<SettingInfo> own;
      one.module->list_settings(own);
      for (SettingInfo& info : own) info.name = one.file.short_name() + "." + info.name;
      to.insert(to.end(), own.begin(), own.end());
    }
  }

private:
  struct Made {
    ModuleFile file;
    Module* module;
  };
  std::vector<Made> made_;
};

void print_settings(const Modules& modules) {
  std::vector<SettingInfo> all;
  control::list_settings(all);
  for (SettingInfo& info : all) info.name = "cardea." + info.name;
  modules.list_settings(all);
  std::puts("setting\ttype\tunit\tdefault\tmeaning");
  for (const SettingInfo& info : all)
    std::printf("%s\t%s\t%s\t%s\t%s\n", info.name.c_str(), info.type.c_str(), info.unit.c_str(),
                info.default_value.c_str(), info.meaning.c_str());
}

secure::Certificate load_certificate(const control::CertificateSettings& files) {
  if (files.cert_pem.empty()) return value_or_throw(secure::Certificate::make());
  const std::string& key = files.cert_key.empty() ? files.cert_pem : files.cert_key;
  return value_or_throw(secure::Certificate::load(files.cert_pem, key, files.cert_pwd).with_context("certificates"));
}

// The media workers, the processor threads and the data thread, from their sockets to the end of their threads.
class Workers {
public:
  Workers(const Settings& settings, Mailbox<worker::WorkerEvent>& events)
      : settings_(settings), data_(control::sctp_settings(settings), events) {
    auto certificate = load_certificate(settings.certificates);
    dtls_ = value_or_throw(secure::DtlsContext::make(certificate));
    auto bind = value_or_throw(control::addresses_to_bind(settings.media, worker::host_addresses(settings.media.ipv6)));
    std::vector<int> cpus = processors();
    uint16_t count = control::worker_count(settings.media.workers, cpus.size());
    for (uint16_t i = 0; i < count; ++i) {
      auto own = control::worker_settings(settings, bind, i, cpus);
      workers_.push_back(value_or_throw(worker::Worker::make(i, std::move(own), *dtls_, events, &data_)));
      local_.candidates.push_back(value_or_throw(control::advertised(bind, settings.nat, i, workers_.back()->port())));
    }
    const uint16_t threads = control::worker_count(settings.media.processors, cpus.size());
    for (uint16_t i = 0; i < threads; ++i)
      processors_.push_back(std::make_unique<worker::ProcessorThread>(static_cast<uint16_t>(count + i), events));
    local_.fingerprint = dtls_->fingerprint();
    if (!local_.candidates.front().empty()) local_.origin_address = local_.candidates.front().front().ip_text();
  }
  ~Workers() { stop(); }

  void start() {
    started_ = true;
    for (worker::Worker* one : all()) one->start(all());
    data_.start(all());
  }
  void stop() {
    if (!std::exchange(started_, false)) return;
    for (worker::Worker* one : all()) one->stop();
    data_.stop();
  }
  worker::DataDoor* data() { return &data_; }
  std::vector<worker::Worker*> all() const {
    std::vector<worker::Worker*> pointers;
    for (const auto& one : workers_) pointers.push_back(one.get());
    for (const auto& one : processors_) pointers.push_back(one.get());
    return pointers;
  }
  size_t processor_threads() const { return processors_.size(); }
  const control::LocalMedia& local() const { return local_; }

private:
  // given
  const Settings& settings_;
  // owned
  std::unique_ptr<secure::DtlsContext> dtls_;
  worker::DataThread data_;
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::vector<std::unique_ptr<worker::ProcessorThread>> processors_;
  // state
  control::LocalMedia local_;
  bool started_ = false;
};

void run(Gateway& gateway, const Settings& settings, int stop_fd) {
  Workers workers(settings, gateway.worker_events());
  gateway.use_media(workers.all(), workers.local(), workers.data(), workers.processor_threads());
  workers.start();
  Status started = gateway.start();
  if (!started) {
    gateway.stop();
    throw ConfigError(started.error().reason);
  }
  for (const auto& loaded : gateway.transports())
    for (const std::string& address : loaded.transport->addresses()) std::puts(address.c_str());
  std::fflush(stdout);
  gateway.run(stop_fd);
  log::info("control", "stopping");
  gateway.stop();
  workers.stop();
}

int start(const Options& options) {
  raise_descriptor_limit();
  int stop_fd = catch_signals();
  std::string folder = options.config;
  std::error_code error;
  if (folder.empty() && std::filesystem::is_directory(CONFIG_FOLDER, error)) folder = CONFIG_FOLDER;
  auto configuration = Configuration::read(folder, options.set);
  std::vector<std::string> warnings;
  const Settings settings = read_core_settings(configuration, warnings);
  control::LogSink sink(settings.general.log_to_stdout && !options.list_settings, settings.general.log_to_file,
                        settings.general.debug_level);
  log::sink = &sink;
  for (const std::string& warning : warnings) log::warn("config", warning);
  {
    SystemRandom random;
    Gateway gateway(settings, random, Clock::now());
    gateway.use_log(sink);
    Modules modules(gateway, settings);
    if (options.list_settings) {
      print_settings(modules);
    } else {
      modules.configure(configuration);
      if (options.check_config) {
        load_certificate(settings.certificates);
        std::puts("The configuration is good.");
      } else {
        if (gateway.transports().empty()) throw ConfigError("there is no transport module: nobody could connect");
        run(gateway, settings, stop_fd);
      }
    }
  }
  log::sink = nullptr;
  ::close(stop_fd);
  return 0;
}

}  // namespace
}  // namespace cardea

int main(int argc, char** argv) {
  cardea::control::keep_json_memory();
  cardea::Options options;
  CLI::App app("Cardea, a WebRTC media gateway that speaks the Janus API", "cardea");
  app.set_version_flag("--version", "cardea " PACKAGE_VERSION);
  app.add_option("--config", options.config, "Folder with cardea.cfg and a file per module (" CONFIG_FOLDER ")");
  app.add_option("--set", options.set, "A setting; wins over the files; may be given again")
      ->type_name("FILE.SECTION.KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--check-config", options.check_config, "Read all settings, say what is wrong, and end");
  app.add_flag("--list-settings", options.list_settings, "Print every setting of the core and of the modules, and end");
  try {
    app.parse(argc, argv);
    return cardea::start(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cardea: %s\n", error.what());
    return 1;
  }
}
