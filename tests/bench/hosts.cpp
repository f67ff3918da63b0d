// What several hosts make of one storage, beside one host.
#include <map>

#include "bench/playlist_host.hpp"
#include "bench/scale.hpp"
#include "soak/cluster.hpp"

namespace rosey::bench {

figures measure_hosts(const effort& how) {
  std::map<int, scale> by_hosts;
  for (int round = 0; round < how.of(3, 1); ++round) {
    for (const int hosts : {1, 2, 4}) {
      const tests::cluster all({.hosts = hosts, .playlist = roomy});
      take(by_hosts[hosts], all.url(), how);
    }
  }
  figures rows =
      compare("two_hosts", "2 hosts", by_hosts[2], "1 host, on the same storage", by_hosts[1]);
  for (figure& row :
       compare("four_hosts", "4 hosts", by_hosts[4], "1 host, on the same storage", by_hosts[1])) {
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace rosey::bench
