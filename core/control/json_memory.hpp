// Memory of JSON values. A request and its reply are some fifty small pieces: each thread keeps what it gives up, up to
// a bound, for the values that it makes next.
#pragma once

namespace cardea::control {

// For all of jansson's values. Once, before the first of them is made.
void keep_json_memory();

}  // namespace cardea::control
