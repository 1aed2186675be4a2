#include "http/pages.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "cardea/text.hpp"
#include "http/path.hpp"

namespace cardea::transports {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> types = {{
    {"html", "text/html; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"webp", "image/webp"},
    {"ico", "image/x-icon"},
    {"woff2", "font/woff2"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"webm", "video/webm"},
    {"mp4", "video/mp4"},
    {"txt", "text/plain; charset=utf-8"},
}};

std::string_view type_of(std::string_view path) {
  const size_t dot = path.rfind('.');
  const std::string_view ending = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  for (const auto& [name, type] : types)
    if (name == ending) return type;
  return "application/octet-stream";
}

Response status(int code) {
  Response response;
  response.status = code;
  return response;
}

}  // namespace

Response Pages::respond(const Request& request) const {
  if (folder_.empty() || (request.method != Method::get && request.method != Method::head)) return status(404);
  auto path = cleaned(request.path);
  if (!path) return status(404);
  struct stat info {};
  if (stat((folder_ + *path).c_str(), &info) != 0) return status(404);
  if (S_ISDIR(info.st_mode)) {
    if (!request.path.ends_with('/')) {  // without the slash the page's relative links would miss the folder
      Response redirect = status(302);
      redirect.headers = text("Location: ", encoded(*path), "/\r\n");
      return redirect;
    }
    *path += "/index.html";
  }
  Response response;
  // Not blocking: a pipe must not hold up everyone.
  response.file = Fd(open((folder_ + *path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!response.file || fstat(response.file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return status(404);
  const std::string tag = text('"', info.st_size, '-', info.st_mtim.tv_sec, '-', info.st_mtim.tv_nsec, '"');
  response.headers = text("ETag: ", tag, "\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n");
  if (request.if_none_match.find(tag) != std::string::npos) {
    response.status = 304;
    response.file = Fd();
    return response;
  }
  response.headers += text("Content-Type: ", type_of(*path), "\r\n");
  response.file_size = static_cast<size_t>(info.st_size);
  response.head_only = request.method == Method::head;
  return response;
}

}  // namespace cardea::transports
