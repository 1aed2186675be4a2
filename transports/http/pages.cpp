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

// What a page may load and who may frame it: https://www.w3.org/TR/CSP3/. No code stands in a page itself. A page talks
// to WebSockets on other ports, too.
constexpr std::string_view page_headers =
    "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; "
    "media-src 'self' blob:; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Permissions-Policy: camera=(self), microphone=(self), display-capture=(self)\r\n";

// RFC 9110 section 12.5.3: named, and not with a weight of 0.
bool accepts_gzip(std::string_view accept_encoding) {
  const size_t at = accept_encoding.find("gzip");
  if (at == std::string_view::npos) return false;
  const std::string_view rest = accept_encoding.substr(at, accept_encoding.find(',', at) - at);
  const size_t weight = rest.find("q=");
  return weight == std::string_view::npos || rest.find_first_of("123456789", weight) != std::string_view::npos;
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
      // Relative: a reverse proxy may serve all this below another path.
      redirect.headers = text("Location: ", encoded(path->substr(path->rfind('/') + 1)), "/\r\n");
      return redirect;
    }
    *path += "/index.html";
  }
  Response response;
  // Not blocking: a pipe must not hold up everyone.
  auto open_file = [&](const std::string& name) {
    response.file = Fd(open((folder_ + name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return response.file && fstat(response.file.get(), &info) == 0 && S_ISREG(info.st_mode);
  };
  const bool compressed = accepts_gzip(request.accept_encoding) && open_file(*path + ".gz");
  if (!compressed && !open_file(*path)) return status(404);
  const std::string tag =
      text('"', info.st_size, '-', info.st_mtim.tv_sec, '-', info.st_mtim.tv_nsec, compressed ? "-gzip" : "", '"');
  response.headers = text("ETag: ", tag, "\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n", page_headers);
  if (compressed) response.headers += "Content-Encoding: gzip\r\n";
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
