// What the playlist is called: in the host, in its subjects, and as a queue group.
#pragma once

namespace rosey::playlist {

inline constexpr char plugin_id[] = "playlist";

}  // namespace rosey::playlist
