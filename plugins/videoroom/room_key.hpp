// The name of one life of a room: a room made anew under an old id has another key.
#pragma once

#include "cardea/ids.hpp"

namespace cardea::videoroom {

using RoomKey = NumberId<struct RoomTag>;

}  // namespace cardea::videoroom
