// Optimisations that patterns cannot say. Each returns how much it changed; each works on one graph, not on those inside nodes.
#pragma once
#include "onward/optimizer/optimizer.h"

namespace onward::passes {

int fold_constants(Graph& graph, const OptimizeOptions& options);      // nodes whose inputs are all constants become constants
int remove_identities(Graph& graph, const OptimizeOptions& options);   // Identity, Dropout at inference, Cast to the type it has …
int merge_equal_nodes(Graph& graph, const OptimizeOptions& options);   // common sub-expressions, equal constants
int remove_dead_nodes(Graph& graph, const OptimizeOptions& options);   // and initializers that nothing reads

// For sessions alone: what they make exists in onward only.
int drop_input_casts(Graph& graph, const OptimizeOptions& options);    // Cast of an input to its declared type; sessions refuse others
int fuse_columns(Graph& graph, const OptimizeOptions& options);        // a linear model of imputed, scaled, one-hot inputs -> reads the inputs
int fuse_dense(Graph& graph, const OptimizeOptions& options);          // MatMul, + bias, Max or Relu -> onward.Dense
int fuse_nearest_rows(Graph& graph, const OptimizeOptions& options);   // differences, their sums, TopK -> onward.NearestRows; or all of them -> onward.RowDistances
int fuse_radial_kernel(Graph& graph, const OptimizeOptions& options);  // exp of squared distances, their product -> onward.RadialKernel
int fuse_ngram_products(Graph& graph, const OptimizeOptions& options);  // counts of n-grams, MatMul -> counts times a matrix
int run_by_rows(Graph& graph, const OptimizeOptions& options);         // steps that treat every row on its own -> onward.ByRows

}  // namespace onward::passes
