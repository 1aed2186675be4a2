// The files of the web pages at /: read from the disk at each request, revalidated by the browser with an ETag. Where
// FILE.gz stands beside FILE, a browser that can read it gets that.
#pragma once

#include <string>

#include "common/exchange.hpp"

namespace cardea::transports {

class Pages {
public:
  // `folder` "": there are none.
  explicit Pages(std::string folder) : folder_(std::move(folder)) {}

  // GET and HEAD of a file, or of a folder's index.html; 404 for all else. Nothing outside the folder and no hidden
  // file is given.
  Response respond(const Request& request) const;

private:
  const std::string folder_;
};

}  // namespace cardea::transports
