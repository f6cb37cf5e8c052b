// expressions COUNT: a recursive-descent parser that builds trees of made-up expressions, adds them up and frees them.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace {

struct Tree {
  char kind = 'n';  // an operator, or n for a number
  uint64_t number = 0;
  std::string text;  // of the number, as it was written
  std::unique_ptr<Tree> left;
  std::unique_ptr<Tree> right;
};
using TreePointer = std::unique_ptr<Tree>;

class Parser {
 public:
  explicit Parser(const std::string& text) : at_(text.c_str()) {}

  TreePointer Sum() {
    TreePointer left = Product();
    while (*at_ == '+' || *at_ == '-') left = Join(*at_++, std::move(left), Product());
    return left;
  }

 private:
  TreePointer Product() {
    TreePointer left = Factor();
    while (*at_ == '*') left = Join(*at_++, std::move(left), Factor());
    return left;
  }
  TreePointer Factor() {
    if (*at_ == '(') {
      ++at_;
      TreePointer inner = Sum();
      ++at_;
      return inner;
    }
    if (*at_ == '-') {
      ++at_;
      return Join('-', std::make_unique<Tree>(), Factor());
    }
    TreePointer leaf = std::make_unique<Tree>();
    while (*at_ >= '0' && *at_ <= '9') {
      leaf->number = leaf->number * 10 + static_cast<uint64_t>(*at_ - '0');
      leaf->text.push_back(*at_++);
    }
    return leaf;
  }
  static TreePointer Join(char kind, TreePointer left, TreePointer right) {
    TreePointer tree = std::make_unique<Tree>();
    tree->kind = kind;
    tree->left = std::move(left);
    tree->right = std::move(right);
    return tree;
  }

  const char* at_;
};

uint64_t ValueOf(const Tree& tree) {
  if (tree.kind == 'n') return tree.number + tree.text.size();
  const uint64_t left = ValueOf(*tree.left);
  const uint64_t right = ValueOf(*tree.right);
  return tree.kind == '+' ? left + right : tree.kind == '-' ? left - right : left * right;
}

uint32_t dice = 12345;
uint32_t Throw() { return dice = dice * 1664525 + 1013904223, dice >> 8; }

void Write(int depth, std::string* text) {
  const uint32_t choice = depth == 0 ? 0 : Throw() % 8;
  if (choice == 0) {
    *text += std::to_string(uint64_t{Throw()} * 1000003);
  } else if (choice == 1) {
    *text += '-';
    Write(depth - 1, text);
  } else {
    *text += '(';
    Write(depth - 1, text);
    *text += "+-*"[choice % 3];
    Write(depth - 1, text);
    *text += ')';
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: expressions COUNT\n");
    return 2;
  }
  uint64_t sum = 0;
  std::string text;
  for (int count = atoi(argv[1]); count > 0; --count) {
    text.clear();
    Write(10, &text);
    sum += ValueOf(*Parser(text).Sum());
  }
  printf("%llu\n", static_cast<unsigned long long>(sum));
  return 0;
}
