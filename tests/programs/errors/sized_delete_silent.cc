// Sized deletes that are right: of a class, of a class without size, of an array with a cookie.
struct Empty {};
struct Cookie {
  ~Cookie() { value = 0; }
  int value = 1;
};

int main() {
  delete new Empty;
  delete new Cookie;
  delete[] new Cookie[7];
}
