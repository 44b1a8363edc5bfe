// scipy's sparse matrices as dense arrays: what estimators that were fitted on sparse rows, or made sparse, have learned.
#pragma once
#include "onward/estimators/plain.h"
#include "onward/graph/array.h"

namespace onward {

bool is_sparse(const plain::Value&);
// Compressed by rows or by columns; throws for other forms, and before it makes more than `most` items.
Numbers dense(const plain::Value& sparse, int64_t most);

}  // namespace onward
