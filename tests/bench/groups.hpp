// The groups of rows, each of which starts what it needs and leaves nothing behind.
#pragma once

#include "bench/figure.hpp"

namespace rosey::bench {

struct effort {
  bool quick = false;
  // One of two, for what takes longer in the full form.
  template <class Value>
  Value of(Value full, Value short_form) const {
    return quick ? short_form : full;
  }
};

figures measure_rest(const effort& how);
figures measure_throughput(const effort& how);
figures measure_queue(const effort& how);
figures measure_history(const effort& how);
figures measure_start(const effort& how);
figures measure_swap(const effort& how);
figures measure_hosts(const effort& how);
figures measure_postgresql(const effort& how);

}  // namespace rosey::bench
