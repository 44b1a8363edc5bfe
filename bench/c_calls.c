/* Calls from C, timed: onward through onward.h, ONNX Runtime through its own C interface, taking turns, each call on the next rows.
 *
 * c_calls SECONDS BATCH MODEL ROWS [LIBONNXRUNTIME MODEL ROWS], as bench/c_calls.py calls it and writes the rows. Prints
 * {"onward": [microseconds of each call], "ONNX Runtime": [...], "differences": answers to the first rows that are not the same}. A call is
 * a run and the release of what came out; values to read are made before any clock runs. One thread each. With a BATCH of 0 every call
 * takes the inputs whole. */
#include <dlfcn.h>
#include <math.h>
#include <onward/onward.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_PIECES = 4096, MOST_PORTS = 256, MOST_AXES = 8, MOST_CALLS = 1 << 22, MOST_IN_TURN = 50 };
static const double TURN_SECONDS = 0.001;

static void stop(const char* what, const char* why) {
  fprintf(stderr, "c_calls: %s: %s\n", what, why);
  exit(1);
}
static void* room(size_t bytes) {
  void* p = malloc(bytes ? bytes : 1);
  if (!p) stop("memory", "none left");
  return p;
}
static double seconds_on(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static double now(void) { return seconds_on(CLOCK_MONOTONIC); }

/* ---- The rows: a line "INPUTS ROWS", then for each input a line "TYPE RANK DIMS NAME" and its elements; a text is its length and its bytes. */

typedef struct Column {
  char name[512];
  int type, rank;
  int64_t dims[MOST_AXES], columns;      /* elements of a row: of all axes but the first */
  size_t width;        /* of an element; 0 for texts */
  char* data;
  char** texts;        /* of every element */
} Column;
typedef struct Rows {
  int inputs;
  int64_t rows;
  Column* columns;
} Rows;

static size_t width_of(int type) {
  switch (type) {
    case ONWARD_FLOAT: case ONWARD_INT32: case ONWARD_UINT32: return 4;
    case ONWARD_DOUBLE: case ONWARD_INT64: case ONWARD_UINT64: return 8;
    case ONWARD_FLOAT16: case ONWARD_INT16: case ONWARD_UINT16: return 2;
    case ONWARD_BOOL: case ONWARD_INT8: case ONWARD_UINT8: return 1;
    case ONWARD_STRING: return 0;
    default: stop("rows", "an element type that no benchmark has"); return 0;
  }
}
static void read_bytes(FILE* file, void* to, size_t bytes) {
  if (bytes && fread(to, 1, bytes, file) != bytes) stop("rows", "the file ends early");
}
static Rows read_rows(const char* path) {
  FILE* file = fopen(path, "rb");
  Rows r;
  if (!file || fscanf(file, "%d %ld%*1[\n]", &r.inputs, &r.rows) != 2 || r.inputs < 0 || r.inputs > MOST_PORTS) stop(path, "cannot be read");
  r.columns = room(sizeof(Column) * (size_t)r.inputs);
  for (int i = 0; i < r.inputs; ++i) {
    Column* c = &r.columns[i];
    if (fscanf(file, "%d %d", &c->type, &c->rank) != 2 || c->rank < 0 || c->rank > MOST_AXES) stop(path, "an input has no heading");
    c->columns = 1;
    for (int axis = 0; axis < c->rank; ++axis) {
      if (fscanf(file, "%ld", &c->dims[axis]) != 1) stop(path, "an input has fewer sizes than axes");
      if (axis > 0) c->columns *= c->dims[axis];
    }
    if (fscanf(file, " %511[^\n]%*1[\n]", c->name) != 1) stop(path, "an input has no name");
    const size_t n = (size_t)(c->rank > 0 ? c->dims[0] * c->columns : 1);
    c->width = width_of(c->type), c->data = NULL, c->texts = NULL;
    if (c->width) read_bytes(file, c->data = room(n * c->width), n * c->width);
    else {
      c->texts = room(n * sizeof(char*));
      for (size_t k = 0; k < n; ++k) {
        uint32_t length;
        read_bytes(file, &length, sizeof length);
        read_bytes(file, c->texts[k] = room(length + 1), length);
        c->texts[k][length] = 0;
      }
    }
  }
  fclose(file);
  return r;
}

/* Where a piece of the rows lies, and its shape; all of it for a batch of 0. */
typedef struct Piece {
  int64_t dims[MOST_AXES];
  size_t from, n;
} Piece;
static Piece piece_of(const Column* c, int64_t at, int64_t batch) {
  Piece p = {{0}, (size_t)(at * c->columns), (size_t)(c->rank > 0 ? (batch ? batch : c->dims[0]) * c->columns : 1)};
  memcpy(p.dims, c->dims, sizeof p.dims);
  if (batch) p.dims[0] = batch;
  return p;
}

/* ---- An engine: inputs made ready for each piece of the rows, and a call. */

typedef struct Engine {
  const char* name;
  Rows rows;
  size_t outputs;
  const char* input_names[MOST_PORTS];
  char* output_names[MOST_PORTS];
  void** inputs;       /* of the first piece, then of the next */
  int pieces, next, in_turn;
  void (*run)(struct Engine*, void* const* inputs, void** outputs);
  void (*release)(void* value);
  double* took;
  size_t calls;
} Engine;

/* ---- onward */

static onward_session* session;
static void check(onward_status* status) {
  if (status) stop("onward", onward_status_message(status));
}
static void onward_run(Engine* e, void* const* inputs, void** outputs) {
  check(onward_session_run(session, NULL, e->input_names, (const onward_value* const*)inputs, (size_t)e->rows.inputs, NULL, 0, (onward_value**)outputs));
}
static void onward_release(void* value) { onward_value_release(value); }
static void* onward_input(const Column* c, int64_t at, int64_t batch) {
  const Piece p = piece_of(c, at, batch);
  onward_value* value;
  if (c->width) check(onward_value_borrow_tensor(c->type, p.dims, (size_t)c->rank, c->data + p.from * c->width, p.n * c->width, NULL, NULL, &value));
  else check(onward_value_create_strings(p.dims, (size_t)c->rank, (const char* const*)c->texts + p.from, NULL, &value));
  return value;
}
static void open_onward(Engine* e, const char* model) {
  onward_session_options* options;
  check(onward_session_options_create(&options));
  check(onward_session_options_set_threads(options, 1));
  check(onward_session_create(model, options, &session));
  onward_session_options_release(options);
  check(onward_session_output_count(session, &e->outputs));
  e->name = "onward", e->run = onward_run, e->release = onward_release;
}

/* ---- ONNX Runtime: the entries of its table of functions that are used here, by their published places. */

typedef void* Status;
enum {
  GET_ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9, CREATE_SESSION_OPTIONS = 10, SET_INTRA_OP_NUM_THREADS = 24,
  SET_INTER_OP_NUM_THREADS = 25, SESSION_GET_OUTPUT_COUNT = 31, SESSION_GET_OUTPUT_NAME = 37, CREATE_TENSOR_AS_ORT_VALUE = 48,
  CREATE_TENSOR_WITH_DATA_AS_ORT_VALUE = 49, GET_TENSOR_MUTABLE_DATA = 51, FILL_STRING_TENSOR = 52, GET_TENSOR_SHAPE_ELEMENT_COUNT = 64,
  GET_TENSOR_ELEMENT_TYPE = 60, GET_TENSOR_TYPE_AND_SHAPE = 65, CREATE_CPU_MEMORY_INFO = 69, GET_ALLOCATOR_WITH_DEFAULT_OPTIONS = 78, RELEASE_VALUE = 96,
  RELEASE_TENSOR_TYPE_AND_SHAPE_INFO = 99
};
enum { ORT_API_VERSION = 11, LOG_ERROR = 3, ARENA_ALLOCATOR = 1, DEFAULT_MEMORY = 0 };
static void* const* ort;               /* the table */
static void *ort_session, *ort_memory, *ort_allocator;

static void check_ort(Status status) {
  if (status) stop("ONNX Runtime", ((const char* (*)(Status))ort[GET_ERROR_MESSAGE])(status));
}
static void ort_run(Engine* e, void* const* inputs, void** outputs) {
  memset(outputs, 0, e->outputs * sizeof *outputs);
  check_ort(((Status(*)(void*, void*, const char* const*, void* const*, size_t, const char* const*, size_t, void**))ort[RUN])(
      ort_session, NULL, e->input_names, inputs, (size_t)e->rows.inputs, (const char* const*)e->output_names, e->outputs, outputs));
}
static void ort_release(void* value) { ((void (*)(void*))ort[RELEASE_VALUE])(value); }
static void* ort_input(const Column* c, int64_t at, int64_t batch) {
  const Piece p = piece_of(c, at, batch);
  void* value = NULL;
  if (c->width) {
    check_ort(((Status(*)(void*, void*, size_t, const int64_t*, size_t, int, void**))ort[CREATE_TENSOR_WITH_DATA_AS_ORT_VALUE])(
        ort_memory, c->data + p.from * c->width, p.n * c->width, p.dims, (size_t)c->rank, c->type, &value));
  } else {
    check_ort(((Status(*)(void*, const int64_t*, size_t, int, void**))ort[CREATE_TENSOR_AS_ORT_VALUE])(ort_allocator, p.dims, (size_t)c->rank, c->type, &value));
    check_ort(((Status(*)(void*, const char* const*, size_t))ort[FILL_STRING_TENSOR])(value, (const char* const*)c->texts + p.from, p.n));
  }
  return value;
}
static void open_ort(Engine* e, const char* library, const char* model) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) stop(library, dlerror());
  typedef struct Base {
    void* const* (*get_api)(uint32_t version);
    const char* (*get_version)(void);
  } Base;
  const Base* (*base)(void) = (const Base* (*)(void))dlsym(handle, "OrtGetApiBase");
  if (!base || !(ort = base()->get_api(ORT_API_VERSION))) stop(library, "is not ONNX Runtime, or too old");
  void *env, *options;
  check_ort(((Status(*)(int, const char*, void**))ort[CREATE_ENV])(LOG_ERROR, "bench", &env));
  check_ort(((Status(*)(void**))ort[CREATE_SESSION_OPTIONS])(&options));
  check_ort(((Status(*)(void*, int))ort[SET_INTRA_OP_NUM_THREADS])(options, 1));
  check_ort(((Status(*)(void*, int))ort[SET_INTER_OP_NUM_THREADS])(options, 1));
  check_ort(((Status(*)(void*, const char*, void*, void**))ort[CREATE_SESSION])(env, model, options, &ort_session));
  check_ort(((Status(*)(int, int, void**))ort[CREATE_CPU_MEMORY_INFO])(ARENA_ALLOCATOR, DEFAULT_MEMORY, &ort_memory));
  check_ort(((Status(*)(void**))ort[GET_ALLOCATOR_WITH_DEFAULT_OPTIONS])(&ort_allocator));
  check_ort(((Status(*)(void*, size_t*))ort[SESSION_GET_OUTPUT_COUNT])(ort_session, &e->outputs));
  if (e->outputs > MOST_PORTS) stop(model, "has more outputs than a benchmark has");
  for (size_t k = 0; k < e->outputs; ++k)
    check_ort(((Status(*)(void*, size_t, void*, char**))ort[SESSION_GET_OUTPUT_NAME])(ort_session, k, ort_allocator, &e->output_names[k]));
  e->name = "ONNX Runtime", e->run = ort_run, e->release = ort_release;
}

/* ---- Both */

static void get_ready(Engine* e, const char* path, int64_t batch, void* (*input)(const Column*, int64_t, int64_t)) {
  e->rows = read_rows(path);
  if (batch > e->rows.rows) stop(path, "has fewer rows than a call takes");
  for (int i = 0; i < e->rows.inputs; ++i) e->input_names[i] = e->rows.columns[i].name;
  const int64_t ports = e->rows.inputs, fit = batch ? e->rows.rows / batch : 1;
  e->pieces = (int)(fit < MOST_PIECES ? fit : MOST_PIECES);
  e->inputs = room(sizeof(void*) * (size_t)(e->pieces * ports));
  for (int piece = 0; piece < e->pieces; ++piece)
    for (int i = 0; i < ports; ++i) e->inputs[piece * ports + i] = input(&e->rows.columns[i], piece * batch, batch);
  e->took = room(MOST_CALLS * sizeof(double));
}
/* The time on the clock, or that of the thread's processor where it is less: while other work has the processor, neither engine runs. */
static double call(Engine* e) {
  void* outputs[MOST_PORTS];
  const double processor = seconds_on(CLOCK_THREAD_CPUTIME_ID), start = now();
  e->run(e, e->inputs + e->next * e->rows.inputs, outputs);
  for (size_t k = 0; k < e->outputs; ++k) e->release(outputs[k]);
  const double seconds = now() - start, used = seconds_on(CLOCK_THREAD_CPUTIME_ID) - processor;
  e->next = (e->next + 1) % e->pieces;
  return used < seconds ? used : seconds;
}
/* Numbers of the first rows' answers that the engines do not share: beyond 1e-9 for doubles, 1e-3 for floats, at all for labels. Texts
 * and sequences are not compared. */
static long count_differences(Engine* a, Engine* b) {
  void *ours[MOST_PORTS], *theirs[MOST_PORTS];
  long differences = 0;
  a->run(a, a->inputs, ours), b->run(b, b->inputs, theirs);
  for (size_t k = 0; k < a->outputs; ++k) {
    if (onward_value_kind(ours[k]) != ONWARD_TENSOR) continue;
    void *shape, *data;
    size_t n;
    int type;
    check_ort(((Status(*)(void*, void**))ort[GET_TENSOR_TYPE_AND_SHAPE])(theirs[k], &shape));
    check_ort(((Status(*)(void*, size_t*))ort[GET_TENSOR_SHAPE_ELEMENT_COUNT])(shape, &n));
    check_ort(((Status(*)(void*, int*))ort[GET_TENSOR_ELEMENT_TYPE])(shape, &type));
    ((void (*)(void*))ort[RELEASE_TENSOR_TYPE_AND_SHAPE_INFO])(shape);
    if (type != onward_value_element_type(ours[k]) || n != onward_value_size(ours[k])) stop("answers", "the engines' outputs have other types or sizes");
    if (type == ONWARD_STRING) continue;
    check_ort(((Status(*)(void*, void**))ort[GET_TENSOR_MUTABLE_DATA])(theirs[k], &data));
    for (size_t i = 0; i < n; ++i) {
      if (type == ONWARD_DOUBLE) {
        const double x = ((const double*)onward_value_data(ours[k]))[i], y = ((const double*)data)[i];
        differences += !(fabs(x - y) <= 1e-9 * fmax(1, fabs(y)));
      } else if (type == ONWARD_FLOAT) {
        const double x = ((const float*)onward_value_data(ours[k]))[i], y = ((const float*)data)[i];
        differences += !(fabs(x - y) <= 1e-3 * fmax(1, fabs(y)) || x == y || (isnan(x) && isnan(y)));
      } else if (type == ONWARD_INT64) {
        differences += ((const int64_t*)onward_value_data(ours[k]))[i] != ((const int64_t*)data)[i];
      }
    }
  }
  for (size_t k = 0; k < a->outputs; ++k) a->release(ours[k]), b->release(theirs[k]);
  return differences;
}
/* Every order of the engines comes equally often. Where a turn is many calls, its first is not counted: it pays for emptied caches. */
static void take_turns(Engine* engines, int n, double seconds) {
  const double end = now() + seconds;
  for (int i = 0; i < n; ++i) {
    call(&engines[i]);
    const double turn = TURN_SECONDS / call(&engines[i]);
    engines[i].in_turn = turn < 1 ? 1 : turn > MOST_IN_TURN ? MOST_IN_TURN : (int)turn;
  }
  for (int round = 0; now() < end || round < 6; ++round)
    for (int i = 0; i < n; ++i) {
      Engine* e = &engines[round % 2 ? n - 1 - i : i];
      for (int k = 0; k < e->in_turn; ++k) {
        const double took = call(e) * 1e6;
        if ((k > 0 || e->in_turn <= 2) && e->calls < MOST_CALLS) e->took[e->calls++] = took;
      }
    }
}

int main(int argc, char** argv) {
  static Engine engines[2];
  const int n = argc == 8 ? 2 : 1;
  if (argc != 5 && argc != 8) stop("usage", "c_calls SECONDS BATCH MODEL ROWS [LIBONNXRUNTIME MODEL ROWS]");
  const int64_t batch = atol(argv[2]);
  if (batch < 0) stop("BATCH", "is no number of rows");
  open_onward(&engines[0], argv[3]);
  get_ready(&engines[0], argv[4], batch, onward_input);
  if (n == 2) open_ort(&engines[1], argv[5], argv[6]), get_ready(&engines[1], argv[7], batch, ort_input);
  const int one_model = n == 2 && strcmp(argv[3], argv[6]) == 0;
  printf("{\"differences\": %ld", one_model ? count_differences(&engines[0], &engines[1]) : 0);
  take_turns(engines, n, atof(argv[1]));
  for (int i = 0; i < n; ++i) {
    printf(",\n\"%s\": [", engines[i].name);
    for (size_t k = 0; k < engines[i].calls; ++k) printf("%s%.3f", k ? ", " : "", engines[i].took[k]);
    printf("]");
  }
  printf("}\n");
  return 0;
}
