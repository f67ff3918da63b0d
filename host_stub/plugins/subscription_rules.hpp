// What a plugin may subscribe to: what is said to everybody, and what is asked of itself.
//
// A request reaches who is subscribed to its subject. Who is not asked and subscribes all the same
// takes it away (with the queue group of the one that is asked) or answers it a second time
// (without). So a plugin may not be in line for the requests of others: their commands
// (rosey.command.ID.…) and services (service.ID.…), those to the host (rosey.admin.…,
// rosey.monitoring.…) and to storage (db.…), and the answers that others wait for (_INBOX.…). A
// wildcard that covers one of these is the same. Events, such as playlist.> and rosey.chat.users,
// are open to all.
//
// A queue group is the plugin's id, or begins with it and a dot: so two plugins that both take an
// event once take it once each.
#pragma once

#include <string>
#include <string_view>

namespace rosey::host {

// One sentence about why the plugin may not subscribe so; "" if it may. `queue_group` may be empty.
std::string problem_with_subscription(std::string_view plugin, std::string_view subject,
                                      std::string_view queue_group);

// Whether there is a subject that both patterns match.
bool overlap(std::string_view one, std::string_view other);

}  // namespace rosey::host
