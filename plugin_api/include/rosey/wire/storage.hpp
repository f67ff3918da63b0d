// Everything that is said to and by the storage service.
#pragma once

#include "rosey/wire/storage_batch.hpp"
#include "rosey/wire/storage_decode.hpp"
#include "rosey/wire/storage_kv.hpp"
#include "rosey/wire/storage_migrate.hpp"
#include "rosey/wire/storage_replies.hpp"
#include "rosey/wire/storage_rows.hpp"
