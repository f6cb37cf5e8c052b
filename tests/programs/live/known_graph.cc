// Builds containers and objects whose graph is known, tells what it knows as lines "NAME ADDRESS...", and waits. For run_graph.py.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace zoo {

class Animal {
 public:
  virtual ~Animal() = default;
  virtual int Legs() const = 0;
  Animal* friend_of = nullptr;
};
class Dog : public Animal {
 public:
  int Legs() const override { return 4; }
  char name[24] = "dog";
};
class Bird : public Animal {
 public:
  int Legs() const override { return 2; }
  std::unique_ptr<Dog> rider;
};
template <typename T>
class Cage : public Animal {
 public:
  int Legs() const override { return 0; }
  T* kept = nullptr;
};

}  // namespace zoo

// A plain graph: each node has a size of its own, so that retained sizes tell nodes apart.
struct Node {
  Node* out[4];
};

// Hidden from whoever looks for pointers: what it names is reachable only as the graph says.
struct Root {
  Node* entry;
  Node* second;
  std::list<int>* list;
  std::map<int, int>* map;
  std::set<long>* set;
  std::unordered_map<int, int>* hash;
  std::vector<int>* vector;
  std::deque<long>* deque;
  std::string* string;
  zoo::Bird* bird;
  zoo::Cage<zoo::Dog>* cage;
};
Root root;

// Begins with its list, whose length its elements have as their value.
struct Shelf {
  std::list<long> first;
  long more[5];
};
Shelf* shelf;
std::list<int> in_variable;

Node* NewNode(size_t bytes) { return static_cast<Node*>(calloc(1, bytes)); }

void Tell(const char* name, const void* address) { printf("%s %p\n", name, address); }

// a -> b, c; b -> d; c -> d, e; d -> f; e -> e2 -> e (a cycle); f -> inside of g
__attribute__((noinline)) void BuildNodes() {
  Node* a = NewNode(100);
  Node* b = NewNode(101);
  Node* c = NewNode(102);
  Node* d = NewNode(103);
  Node* e = NewNode(104);
  Node* e2 = NewNode(105);
  Node* f = NewNode(106);
  Node* g = NewNode(107);
  Node* h = NewNode(108);  // held by a root of its own, and by b
  root.entry = a;
  a->out[0] = b;
  a->out[1] = c;
  b->out[0] = d;
  b->out[2] = h;
  c->out[0] = d;
  c->out[3] = e;
  d->out[1] = f;
  e->out[0] = e2;
  e2->out[1] = e;
  f->out[0] = reinterpret_cast<Node*>(reinterpret_cast<char*>(g) + 40);
  root.second = h;
  const struct {
    const char* name;
    const Node* node;
  } all[] = {{"a", a}, {"b", b}, {"c", c}, {"d", d}, {"e", e}, {"e2", e2}, {"f", f}, {"g", g}, {"h", h}};
  for (const auto& one : all) Tell(one.name, one.node);
  // A ring that nothing leads to.
  Node* lost = NewNode(201);
  lost->out[0] = NewNode(202);
  lost->out[0]->out[0] = lost;
  printf("lost %zu\n", reinterpret_cast<size_t>(lost) ^ ~size_t{0});
}

__attribute__((noinline)) void BuildContainers() {
  root.list = new std::list<int>;
  root.map = new std::map<int, int>;
  root.set = new std::set<long>;
  root.hash = new std::unordered_map<int, int>;
  root.vector = new std::vector<int>(37, 1);
  root.deque = new std::deque<long>;
  for (int i = 0; i < 10; ++i) root.list->push_back(i);
  shelf = new Shelf;
  shelf->first.assign(3, 3);
  in_variable.assign(4, 4);
  for (int i = 0; i < 20; ++i) (*root.map)[i] = i;
  for (int i = 0; i < 5; ++i) root.set->insert(i);
  for (int i = 0; i < 30; ++i) (*root.hash)[i] = i;
  for (int i = 0; i < 500; ++i) root.deque->push_back(i);
  root.string = new std::string("a text that is long enough for a block of its own");
  root.bird = new zoo::Bird;
  root.bird->rider = std::make_unique<zoo::Dog>();
  root.bird->friend_of = root.bird;  // of itself
  root.cage = new zoo::Cage<zoo::Dog>;
  root.cage->kept = root.bird->rider.get();
  Tell("bird", root.bird);
  Tell("dog", root.bird->rider.get());
  Tell("cage", root.cage);
  Tell("list", root.list);
  Tell("list_first", &root.list->front() - 4);
  Tell("shelf", shelf);
  Tell("vector", root.vector);
  Tell("vector_elements", root.vector->data());
  Tell("string_text", root.string->data());
}

// What is left of calls must not hold what they made.
__attribute__((noinline)) void ClearStack() {
  volatile char zeros[16384];
  for (volatile char& zero : zeros) zero = 0;
}

int main() {
  BuildNodes();
  BuildContainers();
  ClearStack();
  puts("ready");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) == 1) {
  }
  return 0;
}
