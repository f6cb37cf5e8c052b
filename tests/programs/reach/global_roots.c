// Initialized and zeroed variables of the program hold blocks, also by way of another block.
#include <stdlib.h>

static char g_start = 1;
char* g_initialized = &g_start;
static char* g_zeroed;
struct Node {
  struct Node* next;
};
struct Node* g_list;

int main(void) {
  g_initialized = malloc(10);  // leak: 1 block 10 bytes malloc is reachable from global g_initialized
  g_zeroed = malloc(20);       // leak: 1 block 20 bytes malloc is reachable from global g_zeroed
  for (int i = 0; i < 5; ++i) {
    struct Node* node = malloc(sizeof(*node));  // leak: 5 blocks 40 bytes malloc is reachable from global g_list
    node->next = g_list;
    g_list = node;
  }
  return 0;
}
