// An object is deleted twice.
int main() {
  int* object = new int(1);
  delete object;
  delete object;  // error: double-free
  return 0;
}
