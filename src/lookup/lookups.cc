#include "postern/lookup/lookups.h"
