// PostgreSQL's words for what databases say differently.
#pragma once

#include "host_stub/storage/dialect.hpp"

namespace rosey::storage {

const dialect& postgresql_dialect();

}  // namespace rosey::storage
