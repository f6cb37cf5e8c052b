// A lost pointer, a cycle, a tree, a list whose head is lost, and a block with a pointer to its inside only.
#include <stdlib.h>

struct Node {
  struct Node* left;
  struct Node* right;
};

static char* g_inside;

static struct Node* Tree(int depth) {
  struct Node* node = malloc(sizeof(*node));  // leak: 15 blocks 240 bytes malloc is 1 definite and 14 indirect
  node->left = depth > 1 ? Tree(depth - 1) : NULL;
  node->right = depth > 1 ? Tree(depth - 1) : NULL;
  return node;
}

static void Lose(void) {
  void* volatile pointer = malloc(100);  // leak: 1 block 100 bytes malloc is definite
  if (pointer != NULL) pointer = NULL;
  struct Node* first = malloc(sizeof(*first));    // leak: 1 block 16 bytes malloc is definite
  struct Node* second = malloc(sizeof(*second));  // leak: 1 block 16 bytes malloc is indirect
  first->left = first->right = second;
  second->left = first;
  second->right = NULL;
  Tree(4);
  struct Node* head = NULL;
  for (int i = 0; i < 10; ++i) {
    struct Node* node = malloc(sizeof(*node));  // leak: 10 blocks 160 bytes malloc is 1 definite and 9 indirect
    node->left = head;
    node->right = NULL;
    head = node;
  }
  g_inside = (char*)malloc(200) + 50;  // leak: 1 block 200 bytes malloc is possible from global g_inside
}

int main(void) {
  Lose();
  return 0;
}
