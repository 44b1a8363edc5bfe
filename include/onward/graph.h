/* The C interface of onward, continued: graphs under construction, and converters for classes of the caller's own. C99; what onward.h says
 * of statuses and handles holds here too. */
#ifndef ONWARD_GRAPH_H
#define ONWARD_GRAPH_H

#include "onward/onward.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Graphs ---------------------------------------------------------------------------------------------------------------- */

/* An ONNX graph under construction. A value of it is a number that is good as long as the graph; equal operations on equal values are one
 * node, and what no output needs is never written. A graph belongs to one thread. */
typedef struct onward_graph onward_graph;
typedef int onward_expr;

ONWARD_API onward_status* onward_graph_create(onward_graph** graph);
ONWARD_API void onward_graph_release(onward_graph* graph);
/* A size of -1 is the number of rows. */
ONWARD_API onward_status* onward_graph_input(onward_graph* graph, const char* name, int element_type, const int64_t* dims, size_t rank, onward_expr* value);
ONWARD_API onward_status* onward_graph_constant(onward_graph* graph, const onward_value* tensor, onward_expr* value);
/* "log1p(fare) / age" over values by name (docs/expressions.md). */
ONWARD_API onward_status* onward_graph_formula(onward_graph* graph, const char* text, const char* const* names, const onward_expr* values, size_t count,
                                               onward_expr* value);
/* Nodes as text, one a line: "y = Clip(x, low, high)\n top, where = TopK(y, int64 [2]; largest=0)\n z = com.example.Foo(top; alpha=0.5)". Inputs
 * are values by name or tensors written out; what the nodes make is found under its name. Types and shapes follow from the operators,
 * which may be custom ones; `operators` may be NULL. */
ONWARD_API onward_status* onward_graph_nodes(onward_graph* graph, const onward_operators* operators, const char* text, const char* const* names,
                                             const onward_expr* values, size_t count, const char* const* result_names, onward_expr* results,
                                             size_t result_count);
ONWARD_API int onward_graph_element_type(const onward_graph* graph, onward_expr value); /* 0: not decided yet */
ONWARD_API int onward_graph_rank(const onward_graph* graph, onward_expr value);
ONWARD_API int64_t onward_graph_dim(const onward_graph* graph, onward_expr value, int axis); /* -1: not known, as the number of rows */
/* The ONNX model with these outputs, which was loaded once. */
ONWARD_API onward_status* onward_graph_model(onward_graph* graph, const onward_operators* operators, const char* const* names, const onward_expr* values,
                                             size_t count, onward_buffer** model);

/* ---- Converters of the caller's own ------------------------------------------------------------------------------------------ */

/* They turn objects of one class, anywhere in a fitted model, into a part of the graph. What a callback is given lives as long as its call. */
typedef struct onward_converters onward_converters;
typedef struct onward_conversion onward_conversion;      /* one call of a converter */
typedef struct onward_fitted onward_fitted;              /* what the file says: plain values, nothing of it is executed */
typedef struct onward_parts onward_parts;                /* what an estimator inside gave */

typedef struct onward_converter_functions {
  size_t size;                                           /* sizeof(onward_converter_functions) */
  void* state;
  void (*release)(void* state);                          /* once, may be NULL */
  onward_status* (*convert)(void* state, onward_conversion* conversion, const onward_fitted* fitted);
} onward_converter_functions;

ONWARD_API onward_status* onward_converters_create(onward_converters** converters);
ONWARD_API void onward_converters_release(onward_converters* converters);
/* The class with its module, as pickle writes it: "package.module.Class". It comes before a built-in converter of that class. */
ONWARD_API onward_status* onward_converters_add(onward_converters* converters, const char* class_name, const onward_converter_functions* functions);
ONWARD_API onward_status* onward_convert_options_add_converters(onward_convert_options* options, const onward_converters* converters);

/* What goes in: the columns of the table, or of the step before. */
ONWARD_API onward_graph* onward_conversion_graph(onward_conversion* conversion);
ONWARD_API size_t onward_conversion_column_count(const onward_conversion* conversion);
ONWARD_API const char* onward_conversion_column_name(const onward_conversion* conversion, size_t column); /* "" where it has none */
/* (rows, 1): ONWARD_DOUBLE, ONWARD_STRING, or 0 for what it holds; the first use of a column of the table decides what that is. */
ONWARD_API onward_status* onward_conversion_column(onward_conversion* conversion, size_t column, int element_type, onward_expr* value);
ONWARD_API onward_status* onward_conversion_matrix(onward_conversion* conversion, onward_expr* value); /* all columns as double (rows, columns) */
/* What comes out, under the names of outputs: transformed (rows, columns), label, variable, probabilities, scores … */
ONWARD_API onward_status* onward_conversion_give(onward_conversion* conversion, const char* name, onward_expr value);
/* One column of a transformer, (rows, 1), under its name; called once for each instead of `transformed`. */
ONWARD_API onward_status* onward_conversion_give_column(onward_conversion* conversion, const char* name, onward_expr value);
ONWARD_API onward_status* onward_conversion_give_classes(onward_conversion* conversion, const onward_value* classes);
/* An estimator inside, of any class that has a converter, on matrices side by side; names may be NULL. */
ONWARD_API onward_status* onward_conversion_convert(onward_conversion* conversion, const onward_fitted* part, const onward_expr* values,
                                                    const char* const* names, size_t count, onward_parts** parts);
/* The same for the bytes of a file. */
ONWARD_API onward_status* onward_conversion_convert_bytes(onward_conversion* conversion, const void* bytes, size_t size, const onward_expr* values,
                                                          const char* const* names, size_t count, onward_parts** parts);
ONWARD_API onward_expr onward_parts_value(const onward_parts* parts, const char* name);  /* under the names of outputs; -1: there is none */
ONWARD_API const onward_value* onward_parts_classes(const onward_parts* parts);          /* NULL: there are none */
ONWARD_API void onward_parts_release(onward_parts* parts);

typedef enum onward_fitted_kinds {
  ONWARD_FITTED_NOTHING = 0, ONWARD_FITTED_BOOL = 1, ONWARD_FITTED_INTEGER = 2, ONWARD_FITTED_NUMBER = 3, ONWARD_FITTED_TEXT = 4,
  ONWARD_FITTED_LIST = 5, ONWARD_FITTED_DICT = 6, ONWARD_FITTED_ARRAY = 7, ONWARD_FITTED_OBJECT = 8, ONWARD_FITTED_CLASS = 9, ONWARD_FITTED_OTHER = 10
} onward_fitted_kinds;
ONWARD_API int onward_fitted_kind(const onward_fitted* fitted);
ONWARD_API const char* onward_fitted_class_name(const onward_fitted* fitted);            /* of an object or class; "" for others */
ONWARD_API onward_status* onward_fitted_find(const onward_fitted* fitted, const char* name, const onward_fitted** part); /* of an object or dict; NULL: not there */
ONWARD_API size_t onward_fitted_size(const onward_fitted* fitted);                       /* of a list or dict */
ONWARD_API onward_status* onward_fitted_item(const onward_fitted* fitted, size_t index, const onward_fitted** key, const onward_fitted** item); /* key: of a dict; may be NULL */
ONWARD_API onward_status* onward_fitted_number(const onward_fitted* fitted, double* number);
ONWARD_API onward_status* onward_fitted_integer(const onward_fitted* fitted, int64_t* integer);
ONWARD_API onward_status* onward_fitted_text(const onward_fitted* fitted, const char** text, size_t* length);
ONWARD_API onward_status* onward_fitted_array(const onward_fitted* fitted, const onward_value** value); /* float64, int64, bool or text */
/* The number of an object that the pickle's writer keeps (persistent id ("onward.live", module, class, number, columns, names)); -1: it is in the file. */
ONWARD_API int64_t onward_fitted_live(const onward_fitted* fitted);

#ifdef __cplusplus
}
#endif
#endif
