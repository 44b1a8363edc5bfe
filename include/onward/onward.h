/* The C interface of onward: run ONNX models, convert fitted models, predict on tables. C99; nothing throws across it.
 *
 * Every call that can fail returns onward_status*: NULL is success, anything else is the caller's to release. A function that makes
 * something gives it through its last argument, and each kind of thing has one onward_<kind>_release, which takes NULL too.
 * Pointers that an accessor gives live as long as the thing they were asked of; every `const char*` ends in NUL.
 * Enumerations are passed as int, so that a number that is none of them is an error and no accident.
 * Sessions, and values that nobody writes to, may be used from any number of threads at once; options and tables by one at a time.
 * What is published here keeps its meaning: this file only grows. */
#ifndef ONWARD_ONWARD_H
#define ONWARD_ONWARD_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ONWARD_API __attribute__((visibility("default")))
#else
#define ONWARD_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct onward_status onward_status;
typedef struct onward_session onward_session;
typedef struct onward_session_options onward_session_options;
typedef struct onward_run_options onward_run_options;
typedef struct onward_cancel onward_cancel;
typedef struct onward_port onward_port;
typedef struct onward_value onward_value;
typedef struct onward_buffer onward_buffer;
typedef struct onward_convert_options onward_convert_options;
typedef struct onward_table onward_table;

/* The release, "0.1.0". */
ONWARD_API const char* onward_version(void);

/* ---- Status ---------------------------------------------------------------------------------------------------------------- */

/* `onward explain CODE` says what each means. A later release may add codes: the hundreds digit is the family. */
typedef enum onward_code {
  ONWARD_OK = 0,
  ONWARD_DIFFERENCE = 101,
  ONWARD_USAGE = 201,
  ONWARD_IO = 301,
  ONWARD_BAD_FILE = 302,
  ONWARD_BAD_MODEL = 303,
  ONWARD_BAD_INPUT = 304,
  ONWARD_BAD_VALUE = 305,
  ONWARD_BAD_DATA = 306,
  ONWARD_BAD_SCHEMA = 307,
  ONWARD_UNSUPPORTED_OPERATOR = 401,
  ONWARD_UNSUPPORTED_ESTIMATOR = 402,
  ONWARD_UNSUPPORTED_FORMAT = 403,
  ONWARD_LIMIT_MEMORY = 501,
  ONWARD_LIMIT_TIME = 502,
  ONWARD_LIMIT_SIZE = 503,
  ONWARD_INTERNAL = 701,
  ONWARD_CANCELLED = 801
} onward_code;

/* These take NULL as success. The hint says what to do and may be "". */
ONWARD_API int onward_status_code(const onward_status* status);
ONWARD_API const char* onward_status_name(const onward_status* status); /* "bad-input" */
ONWARD_API const char* onward_status_message(const onward_status* status);
ONWARD_API const char* onward_status_hint(const onward_status* status);
/* What stands in the way of a conversion, all of it at once, as JSON: [{"code": "E0402", "where": "model (Pipeline) > scale (MyScaler)",
 * "places": [...], "message": ..., "hint": ...}]. "[]" where the message says everything. */
ONWARD_API const char* onward_status_problems(const onward_status* status);
ONWARD_API void onward_status_release(onward_status* status);
/* For callbacks that fail; the hint may be NULL. Given back by a callback, it is the library's. */
ONWARD_API onward_status* onward_status_create(int code, const char* message, const char* hint);

/* ---- Bytes that the library made: a model, JSON (also ended by NUL) ---------------------------------------------------------- */

ONWARD_API const char* onward_buffer_data(const onward_buffer* buffer);
ONWARD_API size_t onward_buffer_size(const onward_buffer* buffer);
ONWARD_API void onward_buffer_release(onward_buffer* buffer);

/* ---- Sessions -------------------------------------------------------------------------------------------------------------- */

typedef enum onward_optimization { ONWARD_OPTIMIZE_NONE = 0, ONWARD_OPTIMIZE_BASIC = 1, ONWARD_OPTIMIZE_ALL = 2 } onward_optimization;

ONWARD_API onward_status* onward_session_options_create(onward_session_options** options);
ONWARD_API void onward_session_options_release(onward_session_options* options);
ONWARD_API onward_status* onward_session_options_set_threads(onward_session_options* options, int threads);         /* 0: all */
ONWARD_API onward_status* onward_session_options_set_optimization(onward_session_options* options, int level); /* onward_optimization */
ONWARD_API onward_status* onward_session_options_set_memory_limit(onward_session_options* options, size_t bytes);   /* 0: the machine's */
ONWARD_API onward_status* onward_session_options_set_profiling(onward_session_options* options, int on);
/* Leaves out one optimisation by name. An unknown name is refused when a session is created, with the nearest known one. */
ONWARD_API onward_status* onward_session_options_disable(onward_session_options* options, const char* optimization);
/* Fixes a named size of the model's inputs and outputs. */
ONWARD_API onward_status* onward_session_options_set_dim(onward_session_options* options, const char* name, int64_t size);
/* Replaces one of the model's initializers by a tensor of the same type and shape, which several sessions may share. */
ONWARD_API onward_status* onward_session_options_set_initializer(onward_session_options* options, const char* name, const onward_value* tensor);

/* Options may be NULL, and may be released at once. The bytes are copied. */
ONWARD_API onward_status* onward_session_create(const char* path, const onward_session_options* options, onward_session** session);
ONWARD_API onward_status* onward_session_create_from_bytes(const void* bytes, size_t size, const onward_session_options* options,
                                                           onward_session** session);
/* Runs that are under way in other threads must have ended. */
ONWARD_API void onward_session_release(onward_session* session);

/* What the model takes and gives, in its own order. A port belongs to its session. */
ONWARD_API onward_status* onward_session_input_count(const onward_session* session, size_t* count);
ONWARD_API onward_status* onward_session_output_count(const onward_session* session, size_t* count);
ONWARD_API onward_status* onward_session_input(const onward_session* session, size_t index, const onward_port** port);
ONWARD_API onward_status* onward_session_output(const onward_session* session, size_t index, const onward_port** port);
ONWARD_API onward_status* onward_session_input_index(const onward_session* session, const char* name, size_t* index);
ONWARD_API onward_status* onward_session_output_index(const onward_session* session, const char* name, size_t* index);

/* These take NULL too. */
ONWARD_API const char* onward_port_name(const onward_port* port);
ONWARD_API const char* onward_port_type(const onward_port* port);     /* "tensor(double)", "seq(map(int64,tensor(float)))" */
ONWARD_API int onward_port_element_type(const onward_port* port);     /* of a tensor, as onward_element; 0 for anything else */
ONWARD_API int onward_port_rank(const onward_port* port);             /* -1: not known, or no tensor */
ONWARD_API int64_t onward_port_dim(const onward_port* port, int axis); /* -1: dynamic */
ONWARD_API const char* onward_port_dim_name(const onward_port* port, int axis); /* "" where it has none */

typedef enum onward_model_text {
  ONWARD_MODEL_PRODUCER = 0,
  ONWARD_MODEL_PRODUCER_VERSION = 1,
  ONWARD_MODEL_DOMAIN = 2,
  ONWARD_MODEL_DESCRIPTION = 3,
  ONWARD_MODEL_GRAPH_NAME = 4,
  ONWARD_MODEL_GRAPH_DESCRIPTION = 5
} onward_model_text;
ONWARD_API onward_status* onward_session_model_text(const onward_session* session, int which, const char** text); /* onward_model_text */
ONWARD_API onward_status* onward_session_model_version(const onward_session* session, int64_t* version);
ONWARD_API onward_status* onward_session_metadata_count(const onward_session* session, size_t* count);
ONWARD_API onward_status* onward_session_metadata(const onward_session* session, size_t index, const char** key, const char** value);
/* NULL where the model has no such key. */
ONWARD_API onward_status* onward_session_metadata_value(const onward_session* session, const char* key, const char** value);
ONWARD_API onward_status* onward_session_opset_count(const onward_session* session, size_t* count);
ONWARD_API onward_status* onward_session_opset(const onward_session* session, size_t index, const char** domain, int64_t* version);
/* As JSON; without one in the metadata it is made from the graph. Fails where an input is nothing that a table could fill. */
ONWARD_API onward_status* onward_session_schema(const onward_session* session, onward_buffer** json);
/* The model as the session runs it: lifted to the newest opset and optimised. */
ONWARD_API onward_status* onward_session_optimized_model(const onward_session* session, onward_buffer** model);
/* A Chrome trace of the runs so far. Refused for a session without profiling. */
ONWARD_API onward_status* onward_session_profile(const onward_session* session, onward_buffer** json);

/* ---- Values: tensors, sequences, maps, nothing ------------------------------------------------------------------------------- */

typedef enum onward_kind { ONWARD_NOTHING = 0, ONWARD_TENSOR = 1, ONWARD_SEQUENCE = 2, ONWARD_MAP = 3 } onward_kind;

/* The numbers of the ONNX standard (TensorProto.DataType). Integers of 4 and 2 bits take one byte each in memory. */
typedef enum onward_element {
  ONWARD_FLOAT = 1, ONWARD_UINT8 = 2, ONWARD_INT8 = 3, ONWARD_UINT16 = 4, ONWARD_INT16 = 5, ONWARD_INT32 = 6, ONWARD_INT64 = 7,
  ONWARD_STRING = 8, ONWARD_BOOL = 9, ONWARD_FLOAT16 = 10, ONWARD_DOUBLE = 11, ONWARD_UINT32 = 12, ONWARD_UINT64 = 13,
  ONWARD_COMPLEX64 = 14, ONWARD_COMPLEX128 = 15, ONWARD_BFLOAT16 = 16, ONWARD_FLOAT8E4M3FN = 17, ONWARD_FLOAT8E4M3FNUZ = 18,
  ONWARD_FLOAT8E5M2 = 19, ONWARD_FLOAT8E5M2FNUZ = 20, ONWARD_UINT4 = 21, ONWARD_INT4 = 22, ONWARD_FLOAT4E2M1 = 23,
  ONWARD_FLOAT8E8M0 = 24, ONWARD_UINT2 = 25, ONWARD_INT2 = 26
} onward_element;

/* `bytes` must be what the type and dims need: a check on the caller's arithmetic. Not for strings. */
ONWARD_API onward_status* onward_value_create_tensor(int element_type, const int64_t* dims, size_t rank, const void* data, size_t bytes,
                                                     onward_value** value);
/* Reads the caller's memory in place, which must be aligned for its elements and stay until `release(owner)` is called (from any
 * thread), or without a `release` until the value is released. No output of a run refers to it. */
ONWARD_API onward_status* onward_value_borrow_tensor(int element_type, const int64_t* dims, size_t rank, const void* data, size_t bytes,
                                                     void (*release)(void* owner), void* owner, onward_value** value);
/* Zeros (or empty strings) to be filled through onward_value_data. */
ONWARD_API onward_status* onward_value_create_empty(int element_type, const int64_t* dims, size_t rank, onward_value** value);
/* UTF-8; lengths may be NULL for texts that end in NUL. */
ONWARD_API onward_status* onward_value_create_strings(const int64_t* dims, size_t rank, const char* const* texts, const size_t* lengths,
                                                      onward_value** value);
ONWARD_API onward_status* onward_value_create_sequence(const onward_value* const* items, size_t count, onward_value** value);
/* Keys: one-dimensional, int64 or string; values: as many. */
ONWARD_API onward_status* onward_value_create_map(const onward_value* keys, const onward_value* values, onward_value** value);
ONWARD_API void onward_value_release(onward_value* value);

ONWARD_API int onward_value_kind(const onward_value* value);
ONWARD_API int onward_value_element_type(const onward_value* value);  /* of a tensor or of an (even empty) sequence's tensors, else 0 */
ONWARD_API size_t onward_value_rank(const onward_value* value);       /* of a tensor, else 0 */
ONWARD_API const int64_t* onward_value_dims(const onward_value* value);
ONWARD_API size_t onward_value_size(const onward_value* value);       /* elements of a tensor, items of a sequence, entries of a map */
ONWARD_API size_t onward_value_bytes(const onward_value* value);      /* of a tensor that holds no strings, else 0 */
ONWARD_API void* onward_value_data(const onward_value* value);        /* NULL for strings and for anything but a tensor */
ONWARD_API onward_status* onward_value_string(const onward_value* value, size_t index, const char** text, size_t* length);
/* Of a tensor of strings that the caller made. */
ONWARD_API onward_status* onward_value_set_string(onward_value* value, size_t index, const char* text, size_t length);
/* Items, keys and values are the caller's to release; they share memory with what they came from. */
ONWARD_API onward_status* onward_value_item(const onward_value* sequence, size_t index, onward_value** item);
ONWARD_API onward_status* onward_value_map_keys(const onward_value* map, onward_value** keys);
ONWARD_API onward_status* onward_value_map_values(const onward_value* map, onward_value** values);

/* ---- Running --------------------------------------------------------------------------------------------------------------- */

ONWARD_API onward_status* onward_cancel_create(onward_cancel** cancel);
ONWARD_API void onward_cancel_set(onward_cancel* cancel, int on);     /* from any thread: runs end with ONWARD_CANCELLED */
ONWARD_API void onward_cancel_release(onward_cancel* cancel);

ONWARD_API onward_status* onward_run_options_create(onward_run_options** options);
ONWARD_API void onward_run_options_release(onward_run_options* options);
ONWARD_API onward_status* onward_run_options_set_cancel(onward_run_options* options, const onward_cancel* cancel); /* NULL: none */
ONWARD_API onward_status* onward_run_options_set_time_limit(onward_run_options* options, double seconds);          /* 0: none */

/* By name. Without output names (NULL, 0) all outputs come, and `outputs` has room for them. Options may be NULL. What comes out
 * belongs to the caller alone and may be written to. After a failure `outputs` is untouched. */
ONWARD_API onward_status* onward_session_run(const onward_session* session, const onward_run_options* options,
                                             const char* const* input_names, const onward_value* const* inputs, size_t input_count,
                                             const char* const* output_names, size_t output_count, onward_value** outputs);
/* By position: every input in order (NULL: an optional one left out), every output in order. An output whose place in `wanted` (may
 * be NULL) is 0 becomes NULL. */
ONWARD_API onward_status* onward_session_run_bound(const onward_session* session, const onward_run_options* options,
                                                   const onward_value* const* inputs, size_t input_count, const unsigned char* wanted,
                                                   onward_value** outputs, size_t output_count);

/* ---- Custom operators ------------------------------------------------------------------------------------------------------ */

/* Operators of the caller's own. They belong to the sessions they are given to, and to nothing else in the process. */
typedef struct onward_operators onward_operators;
typedef struct onward_node onward_node;           /* a node of a model, while a session is created */
typedef struct onward_inference onward_inference; /* its shapes */
typedef struct onward_call onward_call;           /* one run of it */

/* What an operator does. Each callback may return a status, which becomes the error of the session or run with the node's name before
 * it; none may throw. Sessions run from many threads at once, and so do `infer` and `run`. */
typedef struct onward_operator_functions {
  size_t size;                                                               /* sizeof(onward_operator_functions) */
  void* state;                                                               /* what `prepare` is given */
  void (*release)(void* state);                                              /* once, when no session needs the operator; may be NULL */
  onward_status* (*prepare)(void* state, const onward_node* node, void** kernel); /* once a node; NULL: the kernel is the state */
  void (*release_kernel)(void* kernel);                                      /* once a node that was prepared; may be NULL */
  onward_status* (*infer)(void* kernel, onward_inference* inference);        /* NULL: `run` allocates every output */
  onward_status* (*run)(void* kernel, onward_call* call);
} onward_operator_functions;

/* What the callbacks may ask, as a table: a shared library of operators links with nothing of ours. It grows at its end only; a
 * library that needs a later member compares `size`. Numbers of inputs and outputs are as in the node; those left out are NULL or 0. */
typedef struct onward_extension_api {
  size_t size;
  const char* (*version)(void);

  /* Ports: "x:T(float|double) bias?:float rest*:T". '?' may be left out; '*' is any number and stands last. A type is an element type of
   * the standard, or a word in capitals for one and the same type wherever it stands, with the types it may be in parentheses; without
   * a type the value may be a sequence or a map. Attributes: "alpha:FLOAT=0.5;mode:STRING=\"linear\";axes:INTS!" of the kinds INT, FLOAT,
   * STRING, TENSOR, INTS, FLOATS, STRINGS, TENSORS; '!' must be given. Nodes are checked against all that. `since` is the version of the
   * domain that the operator came with. The functions are copied; `release` is called in any case. */
  onward_status* (*operators_add)(onward_operators* operators, const char* domain, const char* name, int since, const char* inputs,
                                  const char* outputs, const char* attributes, const onward_operator_functions* functions);

  /* While a node is prepared. An attribute without a default that was not given is not there; texts end in NUL. */
  const char* (*node_name)(const onward_node* node);
  size_t (*node_input_count)(const onward_node* node);
  size_t (*node_output_count)(const onward_node* node);
  const onward_value* (*node_constant)(const onward_node* node, size_t input);  /* NULL: not the same in every run */
  int (*node_has)(const onward_node* node, const char* attribute);
  onward_status* (*node_int)(const onward_node* node, const char* attribute, int64_t* value);
  onward_status* (*node_float)(const onward_node* node, const char* attribute, float* value);
  onward_status* (*node_string)(const onward_node* node, const char* attribute, const char** text, size_t* length);
  onward_status* (*node_tensor)(const onward_node* node, const char* attribute, const onward_value** value);
  onward_status* (*node_ints)(const onward_node* node, const char* attribute, const int64_t** values, size_t* count);
  onward_status* (*node_floats)(const onward_node* node, const char* attribute, const float** values, size_t* count);
  onward_status* (*node_strings)(const onward_node* node, const char* attribute, size_t index, const char** text, size_t* length, size_t* count);

  /* Shapes. Before a run a size may be unknown: such sizes are negative numbers that may be handed on and computed with here, and nothing
   * else. An output that nothing is said of, or whose sizes stay unknown in a run, is `run`'s to allocate. */
  size_t (*inference_input_count)(const onward_inference* inference);
  size_t (*inference_output_count)(const onward_inference* inference);
  int (*inference_input_type)(const onward_inference* inference, size_t input);                    /* as onward_element */
  int (*inference_input_rank)(const onward_inference* inference, size_t input);                    /* -1: not known */
  int64_t (*inference_input_dim)(const onward_inference* inference, size_t input, size_t axis);
  const onward_value* (*inference_value)(onward_inference* inference, size_t input);               /* NULL: not known */
  int64_t (*inference_unknown)(onward_inference* inference);                                       /* a size equal to no other */
  int64_t (*inference_size)(onward_inference* inference, char operation, int64_t a, int64_t b);    /* of + - * / (rounded down) */
  onward_status* (*inference_output)(onward_inference* inference, size_t output, int element_type, const int64_t* dims, size_t rank);

  /* A run. Values belong to it and end with it. */
  size_t (*call_input_count)(const onward_call* call);
  size_t (*call_output_count)(const onward_call* call);
  const onward_value* (*call_input)(const onward_call* call, size_t input);                        /* NULL: left out */
  onward_value* (*call_output)(onward_call* call, size_t output);                                  /* NULL: nothing was inferred for it */
  onward_status* (*call_allocate)(onward_call* call, size_t output, int element_type, const int64_t* dims, size_t rank, onward_value** value);
  onward_status* (*call_give)(onward_call* call, size_t output, const onward_value* value);        /* any value; it is shared, not copied */
  onward_status* (*call_check)(const onward_call* call);                                           /* fails when the run must end */
  /* body(state, begin, end) over parts of [0, n), in parallel where the work is worth it; it may not share what it writes. */
  onward_status* (*call_parallel)(const onward_call* call, int64_t n, double nanoseconds_each, void (*body)(void* state, int64_t begin, int64_t end), void* state);

  /* The functions of these names. */
  onward_status* (*status_create)(int code, const char* message, const char* hint);
  void (*status_release)(onward_status* status);
  int (*value_kind)(const onward_value* value);
  int (*value_element_type)(const onward_value* value);
  size_t (*value_rank)(const onward_value* value);
  const int64_t* (*value_dims)(const onward_value* value);
  size_t (*value_size)(const onward_value* value);
  void* (*value_data)(const onward_value* value);
  onward_status* (*value_string)(const onward_value* value, size_t index, const char** text, size_t* length);
  onward_status* (*value_set_string)(onward_value* value, size_t index, const char* text, size_t length);
  onward_status* (*value_create_sequence)(const onward_value* const* items, size_t count, onward_value** value);
  onward_status* (*value_create_map)(const onward_value* keys, const onward_value* values, onward_value** value);
  onward_status* (*value_create_tensor)(int element_type, const int64_t* dims, size_t rank, const void* data, size_t bytes, onward_value** value);
  onward_status* (*value_item)(const onward_value* sequence, size_t index, onward_value** item);
  onward_status* (*value_map_keys)(const onward_value* map, onward_value** keys);
  onward_status* (*value_map_values)(const onward_value* map, onward_value** values);
  void (*value_release)(onward_value* value);
} onward_extension_api;

/* The one symbol that a shared library of operators exports: it adds them. The table lives as long as the process. Not a function of
 * this library. */
typedef onward_status* (*onward_register_operators_function)(const onward_extension_api* api, onward_operators* operators);
#define ONWARD_REGISTER_OPERATORS "onward_register_operators"

ONWARD_API const onward_extension_api* onward_get_extension_api(void);
ONWARD_API onward_status* onward_operators_create(onward_operators** operators);
/* Sessions keep what they need of it: the library too. */
ONWARD_API void onward_operators_release(onward_operators* operators);
/* Loads the shared library at `path`, which runs code in it, and calls its onward_register_operators. */
ONWARD_API onward_status* onward_operators_load(onward_operators* operators, const char* path);
/* The operators that are there now, beside those that the options have. */
ONWARD_API onward_status* onward_session_options_add_operators(onward_session_options* options, const onward_operators* operators);

/* ---- Converting fitted models ---------------------------------------------------------------------------------------------- */

typedef enum onward_inputs { ONWARD_INPUTS_AS_FITTED = 0, ONWARD_INPUTS_MATRIX = 1, ONWARD_INPUTS_COLUMNS = 2 } onward_inputs;

ONWARD_API onward_status* onward_convert_options_create(onward_convert_options** options);
ONWARD_API void onward_convert_options_release(onward_convert_options* options);
/* label, probabilities, log_probabilities, scores, variable, transformed, leaf, distances, neighbors; none added: the usual ones. */
ONWARD_API onward_status* onward_convert_options_add_output(onward_convert_options* options, const char* name);
ONWARD_API onward_status* onward_convert_options_set_inputs(onward_convert_options* options, int inputs); /* onward_inputs */
/* Of all numeric inputs: ONWARD_FLOAT or ONWARD_DOUBLE; 0: what the fitted model proves, else double. */
ONWARD_API onward_status* onward_convert_options_set_input_type(onward_convert_options* options, int element_type);
/* Of one column, as an example shows it; stronger than the type of all. */
ONWARD_API onward_status* onward_convert_options_set_column_type(onward_convert_options* options, const char* column, int element_type);
/* Types and policies of the inputs, as `onward schema` writes them. */
ONWARD_API onward_status* onward_convert_options_set_schema(onward_convert_options* options, const char* json);
/* A column computed from others before the model, "NAME=EXPRESSION" (docs/expressions.md): a new one, or one in the place of an input. */
ONWARD_API onward_status* onward_convert_options_add_step(onward_convert_options* options, const char* step);
/* The columns of an example in order, for models that do not say what they were fitted on. */
ONWARD_API onward_status* onward_convert_options_add_column(onward_convert_options* options, const char* name);
/* Not 0: operators of the domain com.onward may be used where standard ones cannot say what a model computes. Only onward runs such a file. */
ONWARD_API onward_status* onward_convert_options_allow_own_operators(onward_convert_options* options, int allowed);
/* What converters put into the graph beside the standard's operators. */
ONWARD_API onward_status* onward_convert_options_add_operators(onward_convert_options* options, const onward_operators* operators);
/* The version of a domain ("" is ai.onnx, from 7; "ai.onnx.ml") that the model is written for; conversion names the node that has no form
 * there. With one, an ONNX model may be converted as well: it keeps its structure. */
ONWARD_API onward_status* onward_convert_options_set_opset(onward_convert_options* options, const char* domain, int64_t version);

/* A fitted model (pickle, joblib, skops; nothing in it is executed) to an ONNX model, which was loaded and run once. `report` may be NULL, and
 * is JSON: {"schema_version", "bytes", "nodes", "opsets", "lost", "source", "seconds"}; "lost": what an older opset cannot say. Options may be NULL. */
ONWARD_API onward_status* onward_convert(const char* path, const onward_convert_options* options, onward_buffer** model, onward_buffer** report);
ONWARD_API onward_status* onward_convert_bytes(const void* bytes, size_t size, const onward_convert_options* options, onward_buffer** model,
                                               onward_buffer** report);
/* The schema of an ONNX model's bytes, as JSON. */
ONWARD_API onward_status* onward_model_schema(const void* bytes, size_t size, onward_buffer** json);
/* An ONNX model with the type and shape of every value written into it; sizes are expressions over the names that its inputs declare.
 * What contradicts itself is left as it is, or, if `strict`, an error that names the node. */
ONWARD_API onward_status* onward_infer_types(const void* bytes, size_t size, int strict, onward_buffer** model);

/* ---- Tables ---------------------------------------------------------------------------------------------------------------- */

typedef enum onward_column {
  ONWARD_COLUMN_FLOAT64 = 0, ONWARD_COLUMN_FLOAT32 = 1, ONWARD_COLUMN_INT64 = 2, ONWARD_COLUMN_BOOL = 3, /* one byte each */
  ONWARD_COLUMN_STRING = 4, ONWARD_COLUMN_DATETIME = 5 /* int64 nanoseconds since 1970, UTC */
} onward_column;
/* What a cell holds. Where a model tells kinds of nothing apart, they are NaN, Python's None and pandas' NA. */
typedef enum onward_cell { ONWARD_CELL_VALUE = 0, ONWARD_CELL_NAN = 1, ONWARD_CELL_NONE = 2, ONWARD_CELL_NA = 3 } onward_cell;

ONWARD_API onward_status* onward_table_create(int64_t rows, onward_table** table);
ONWARD_API void onward_table_release(onward_table* table);
/* `type` is an onward_column. `data` has a value for each row and is copied. `cells` has an onward_cell for each row, or is NULL where every cell holds a value;
 * NaN in a column of floats needs no mark. */
ONWARD_API onward_status* onward_table_add_numbers(onward_table* table, const char* name, int type, const void* data, const uint8_t* cells);
/* UTF-8; where a cell holds none, its text may be NULL. */
ONWARD_API onward_status* onward_table_add_strings(onward_table* table, const char* name, const char* const* texts, const size_t* lengths,
                                                   const uint8_t* cells);
ONWARD_API int64_t onward_table_rows(const onward_table* table);
ONWARD_API size_t onward_table_column_count(const onward_table* table);
ONWARD_API const char* onward_table_column_name(const onward_table* table, size_t column); /* NULL beyond the last; the same below */
ONWARD_API int onward_table_column_type(const onward_table* table, size_t column);         /* -1 beyond the last */
ONWARD_API const void* onward_table_column_data(const onward_table* table, size_t column); /* NULL for strings */
ONWARD_API const uint8_t* onward_table_column_cells(const onward_table* table, size_t column); /* NULL: every cell holds a value */
ONWARD_API onward_status* onward_table_string(const onward_table* table, size_t column, int64_t row, const char** text, size_t* length); /* no NUL at the end */

/* Columns to inputs by name, under the policies of the model's schema; outputs to columns. A value that the schema refuses is
 * ONWARD_BAD_DATA naming row and column. */
ONWARD_API onward_status* onward_session_predict(const onward_session* session, const onward_run_options* options, const onward_table* table,
                                                 onward_table** predictions);

/* The Arrow C data interface, https://arrow.apache.org/docs/format/CDataInterface.html: the structs are the caller's. A struct array
 * becomes a table: numbers, booleans, texts, dates, timestamps, and dictionaries of them. Import copies, and releases neither struct. */
struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;
ONWARD_API onward_status* onward_table_import_arrow(const struct ArrowSchema* schema, const struct ArrowArray* array, onward_table** table);
/* Reads the stream to its end; the caller releases it. */
ONWARD_API onward_status* onward_table_import_arrow_stream(struct ArrowArrayStream* stream, onward_table** table);
/* A column out of a stream of its chunks, read to the end; the caller releases it. `gap`: the onward_cell that Arrow's null stands for. */
ONWARD_API onward_status* onward_table_add_arrow(onward_table* table, const char* name, struct ArrowArrayStream* stream, int gap);
/* Fills both structs, whose release callbacks the caller calls. */
ONWARD_API onward_status* onward_table_export_arrow(const onward_table* table, struct ArrowSchema* schema, struct ArrowArray* array);

/* ---- Comparing with the source ----------------------------------------------------------------------------------------------- */

/* What a fitted model's own library answers for the rows of `table`, side by side with the session: a tensor for each named output,
 * the first axis the rows'. `refused` has a 1 for each row that the library raises for, or is NULL; `who` is its name. A tolerance
 * that is no number is the usual one: 1e-12 for float64, 1e-6 for float32. `json` is the report for scripts, {"ok", …}; `html`, the
 * one for people, may be NULL. */
ONWARD_API onward_status* onward_session_compare(const onward_session* session, const onward_run_options* options, const onward_table* table,
                                                 const char* who, const char* const* output_names, const onward_value* const* expected,
                                                 size_t output_count, const uint8_t* refused, double relative, double absolute,
                                                 onward_buffer** json, onward_buffer** html);

#ifdef __cplusplus
}
#endif
#endif
