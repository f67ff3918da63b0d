// The plugin's version, as operators see it in the list of plugins.
#pragma once

namespace rosey::playlist {

#ifndef ROSEY_PLAYLIST_VERSION
#define ROSEY_PLAYLIST_VERSION "0.1.0"
#endif
inline constexpr char plugin_version[] = ROSEY_PLAYLIST_VERSION;

}  // namespace rosey::playlist
