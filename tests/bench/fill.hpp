// Writes what years of use leave in the database of a bot that does not run.
#pragma once

#include <filesystem>
#include <string>

namespace rosey::bench {

// Channels NAME-1, NAME-2 …, in each of which one item plays and so many wait; each of `users`
// people, owner-0 and up, has added as many as the others.
void fill_queues(const std::filesystem::path& database, const std::string& name, int channels,
                 int items, int users);

// So many plays in the channel #history, of what one user has added.
void fill_history(const std::filesystem::path& database, const std::string& user, int plays);

}  // namespace rosey::bench
