// What people can type, who may, and where the command arrives.
#pragma once

#include "rosey/sdk/verb.hpp"

namespace rosey::playlist {

inline constexpr char queue_group[] = "playlist";

inline constexpr sdk::verb verb_table[] = {
    {"add", "rosey.command.playlist.add", "<url>", "Add a video, song or stream to the queue",
     wire::role::user},
    {"queue", "rosey.command.playlist.queue", "", "Show what plays and what comes next",
     wire::role::user},
    {"nowplaying", "rosey.command.playlist.nowplaying", "", "Show what plays and how far it is",
     wire::role::user},
    {"skip", "rosey.command.playlist.skip", "", "End your own item; moderators end any",
     wire::role::user},
    {"voteskip", "rosey.command.playlist.voteskip", "", "Vote to skip what plays",
     wire::role::user},
    {"remove", "rosey.command.playlist.remove", "[id, number, range or all]",
     "Remove items of yours, without a number the newest", wire::role::user},
    {"clear", "rosey.command.playlist.clear", "", "Remove everything that waits",
     wire::role::moderator},
    {"shuffle", "rosey.command.playlist.shuffle", "", "Put what waits into a random order",
     wire::role::moderator},
    {"move", "rosey.command.playlist.move", "<id, number or range> <after, or start>",
     "Move items of yours behind another one, or to the start", wire::role::user},
    {"when", "rosey.command.playlist.when", "", "Tell when your own items play", wire::role::user},
    {"history", "rosey.command.playlist.history", "[1-50]", "Show what played last",
     wire::role::user},
    {"mystats", "rosey.command.playlist.mystats", "", "Show your own statistics", wire::role::user},
};

}  // namespace rosey::playlist
