// Exports the playlist to the host.
#include "playlist_plugin/plugin.hpp"
#include "rosey/sdk/plugin.hpp"

ROSEY_PLUGIN(rosey::playlist::plugin)
