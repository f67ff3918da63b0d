// What the failure of a fetch means for those who would ask again.
#pragma once

namespace rosey::playlist::fetch_codes {

inline constexpr char unreachable[] = "site_unreachable";  // no answer: all its links fail alike
inline constexpr char failed[] = "fetch_failed";           // it may be told another time
inline constexpr char refused[] = "fetch_refused";         // HTTP 4xx: not to be asked like this
inline constexpr char unknown[] = "not_told";              // the site has nothing to tell

}  // namespace rosey::playlist::fetch_codes
