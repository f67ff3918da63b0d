// What this instance knows of one channel, and what may be done next: a state machine without I/O
// and without a clock. channel_driver.cpp does what it says.
//
// condition   means                                                     next() says
// ----------  --------------------------------------------------------  ----------------------
// unknown     nothing is held                                           read
// current     a state is held that nobody has said to be old            use
// outdated    a state is held, and a later version was heard of         read
// doubtful    storage may still carry out a try, whatever is held       read, then use it once
// looking_up  a state was read in which one of these tries may be       look_up, one by one
// sending     a try is on its way to storage                            (it is not asked)
//
// input             in          leads to    when, and what comes of it
// ----------------  ----------  ----------  -------------------------------------------------------
// heard             current     outdated    of a later version; of the same one: it is confirmed
//                   any other   the same    it is remembered
// require           current     unknown     too old for the reader, or not confirmed for long
// forget            current     unknown     the others stay as they are
// loaded            unknown     current     or outdated, when more was heard while it was read
//                   outdated    current     as above
//                   doubtful    looking_up  the version of the tries is reached
//                   doubtful    doubtful    it is not reached: a late try may still come
//                   doubtful    current     it is not, and storage has answered for long enough
// looked_up         looking_up  looking_up  other tries are left
//                   looking_up  current     none is left; the one carried out is published
// answered          any         unknown     the try carried out is published if it is one of these,
//                                           and all are over; else those with its id are
// kept              doubtful    current     no try with another id is left
// decided           current     the same    a change: store; none, and it is confirmed: answer
//                   current     unknown     no change, and it is not confirmed: again
// sent              current     sending     or doubtful: what was read is used once
// stored            sending     current     confirmed; it is published; earlier tries are over
// stored_before     sending     current     as above, but others may have come since: no word of it
// conflicted        sending     unknown     again
// refused           sending     current     again; not because of the channel
// replayed          sending     unknown     another try was carried out: published if it is ours
// timed_out         sending     doubtful
// time              any         the same    tries or time used up: give_up; else a pause if it is
//                                           the third try or a later one
//
// From `sending` and `looking_up`, "current" is `outdated` if a later version was heard of, and
// "unknown" or "current" is `doubtful` as long as earlier tries have no answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/clock_time.hpp"
#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/service/play_clock.hpp"

namespace rosey::playlist {

// A try to store a change.
struct sent_change {
  playlist::change what;
  std::string request_id;
  std::string stamp;  // of no other try
  clock_time at;      // when it was decided
  bool reply_names_next = false;
};

class channel_knowledge {
 public:
  using snapshot = std::shared_ptr<const channel_state>;

  enum class condition { unknown, current, outdated, doubtful, looking_up, sending };
  enum class doing { use, read, look_up, pause, give_up };
  enum class verdict { store, answer, again, give_up };

  struct action {
    doing what = doing::give_up;
    snapshot state = {};          // use
    bool is_news = false;         // use: it was read just now, and may differ from what was known
    std::string request_id = {};  // look_up
    std::int64_t longest = 0;     // pause: milliseconds
  };

  static constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

  // Each failed try means that another one succeeded; so many in a row are a crowd, not bad luck.
  static constexpr int most_tries = 16;
  static constexpr std::int64_t longest_pause = 64;  // milliseconds

  // Milliseconds that what is known is believed without a word about it.
  static constexpr std::int64_t trusted_for = 30'000;

  // Milliseconds, after storage has answered again, in which it may still carry out what it was
  // given before; and how many such tries are remembered, the first ones.
  static constexpr std::int64_t longest_lateness = 60'000;
  static constexpr std::size_t most_unanswered = 16;

  condition state() const;
  bool is_doubtful() const { return !unanswered_.empty(); }
  bool is_confirmed(clock_time now) const { return now.steady < confirmed_at_ + trusted_for; }
  // Nobody has to read to know what was heard.
  bool has(std::int64_t version) const { return held_ && held_->version >= version; }

  // At any time. What they give is to be published: it is known now that it was carried out.

  void heard(std::int64_t version, clock_time now);
  void forget() { held_.reset(); }
  // Storage has an answer to the request by the try with this stamp; its sender gets it now.
  std::optional<sent_change> answered(const std::string& request_id, const std::string& stamp);
  // Storage has an answer that changes nothing: no try of the request will be carried out.
  void kept(const std::string& request_id);

  // By the one whose turn it is.

  // A use begins, which gives up at the deadline, by the steady clock. What the one before has left
  // unfinished is dropped.
  void begin(std::int64_t deadline);
  // This use needs the version, and a state that is confirmed.
  void require(std::int64_t version, clock_time now);
  action next(clock_time now);

  void loaded(channel_state read, clock_time now);
  // The answer to look_up; the stamp is "" if there is none.
  std::optional<sent_change> looked_up(const std::string& request_id, const std::string& stamp);

  // Storage guards a change; a decision without one has to be true by itself.
  verdict decided(bool changes, clock_time now);

  // The reference is good until one of the next six.
  const sent_change& sent(sent_change pending);
  sent_change stored(clock_time now);
  sent_change stored_before();
  void conflicted();
  void refused();
  std::optional<sent_change> replayed(const std::string& stamp);
  void timed_out();

 private:
  struct use {
    std::int64_t deadline = no_deadline;
    int failed_tries = 0;
    bool begins_try = true;
    snapshot read = {};  // and not used yet
    bool looks_up = false;
    std::int64_t heard_before = 0;  // it was read
  };

  void again();
  void wait_for_late_ones(clock_time now);
  action take_read(clock_time now);
  // The start of what plays moves along with a wall clock that is set.
  void follow_clock(clock_time now);
  sent_change take_sent();
  // Of the tries with this id, the one with this stamp was carried out, the others never will be.
  std::optional<sent_change> conclude(const std::string& request_id, const std::string& stamp);

  snapshot held_;                   // null: to be read
  play_clock play_clock_;           // of what plays
  std::int64_t heard_ = 0;          // the newest version that anybody told of
  std::int64_t confirmed_at_ = 0;   // by the steady clock: when storage or an event last agreed
  std::int64_t read_version_ = -1;  // that was read last
  std::optional<sent_change> sent_;
  // All of them lead to the same version, so one of them at most is carried out.
  std::vector<sent_change> unanswered_;
  std::int64_t answering_since_ = 0;  // when storage first answered again; 0: not yet
  use use_;
};

}  // namespace rosey::playlist
