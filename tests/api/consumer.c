/* A C99 program over the C interface: converts the fitted model in argv[1], runs it, meets an error. Ends with 0 when all is as said. */
#include <stdio.h>
#include <string.h>

#include "onward/onward.h"

#define EXPECT(condition) \
  do { if (!(condition)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); return 1; } } while (0)
#define OK(call) \
  do { onward_status* status_ = (call); if (status_) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, onward_status_message(status_)); return 1; } } while (0)

int main(int argc, char** argv) {
  onward_buffer *model = NULL, *report = NULL, *schema = NULL;
  onward_session* session = NULL;
  const onward_port* port = NULL;
  onward_value *input = NULL, *outputs[2] = {NULL, NULL};
  const double rows[8] = {5.1, 3.5, 1.4, 0.2, 6.7, 3.0, 5.2, 2.3};
  const int64_t dims[2] = {2, 4}, wrong[2] = {4, 2};
  const char *in = "X", *out = "probabilities";
  onward_status* status;
  double sum;
  size_t count = 0;

  EXPECT(argc == 2);
  EXPECT(strlen(onward_version()) > 0);
  OK(onward_convert(argv[1], NULL, &model, &report));
  EXPECT(strstr(onward_buffer_data(report), "\"opsets\"") != NULL);
  OK(onward_session_create_from_bytes(onward_buffer_data(model), onward_buffer_size(model), NULL, &session));
  OK(onward_session_schema(session, &schema));
  EXPECT(strstr(onward_buffer_data(schema), "schema_version") != NULL);
  OK(onward_session_input_count(session, &count));
  EXPECT(count == 1);
  OK(onward_session_input(session, 0, &port));
  EXPECT(strcmp(onward_port_name(port), "X") == 0 && strcmp(onward_port_type(port), "tensor(double)") == 0);
  EXPECT(onward_port_rank(port) == 2 && onward_port_dim(port, 0) == -1 && onward_port_dim(port, 1) == 4 && onward_port_dim(port, 2) == -1);

  OK(onward_value_borrow_tensor(ONWARD_DOUBLE, dims, 2, rows, sizeof rows, NULL, NULL, &input));
  OK(onward_session_run(session, NULL, &in, (const onward_value* const*)&input, 1, &out, 1, outputs));
  EXPECT(onward_value_element_type(outputs[0]) == ONWARD_DOUBLE && onward_value_rank(outputs[0]) == 2 && onward_value_dims(outputs[0])[1] == 3);
  sum = ((double*)onward_value_data(outputs[0]))[0] + ((double*)onward_value_data(outputs[0]))[1] + ((double*)onward_value_data(outputs[0]))[2];
  EXPECT(sum > 0.999999 && sum < 1.000001);
  onward_value_release(outputs[0]);
  outputs[0] = NULL;
  OK(onward_session_run_bound(session, NULL, (const onward_value* const*)&input, 1, NULL, outputs, 2));
  EXPECT(onward_value_size(outputs[0]) == 2 && onward_value_size(outputs[1]) == 6);
  onward_value_release(input);

  OK(onward_value_create_tensor(ONWARD_DOUBLE, wrong, 2, rows, sizeof rows, &input));
  status = onward_session_run(session, NULL, &in, (const onward_value* const*)&input, 1, NULL, 0, outputs);
  EXPECT(onward_status_code(status) == ONWARD_BAD_INPUT && strcmp(onward_status_name(status), "bad-input") == 0);
  EXPECT(strstr(onward_status_message(status), "axis 1 has 2 elements, expected 4") != NULL);
  onward_status_release(status);

  onward_value_release(input);
  onward_value_release(outputs[0]);
  onward_value_release(outputs[1]);
  onward_session_release(session);
  onward_buffer_release(model);
  onward_buffer_release(report);
  onward_buffer_release(schema);
  return 0;
}
