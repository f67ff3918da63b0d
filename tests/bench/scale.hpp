// How much several hosts do beside fewer of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/figure.hpp"
#include "bench/groups.hpp"

namespace rosey::bench {

struct scale {
  std::vector<double> many, one, rest;  // adds a second over 50 channels, on one; µs of one at rest
  std::map<std::string, int> refusals;  // by code
};

// Measures once more.
void take(scale& all, const std::string& nats_url, const effort& how);

// `id` begins the rows' ids; `several` and `single` say what is compared.
figures compare(const std::string& id, const std::string& several, const scale& of_several,
                const std::string& single, const scale& of_single);

}  // namespace rosey::bench
