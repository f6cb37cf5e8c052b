// Preloaded after liblsan. A program built with -fsanitize=leak starts LeakSanitizer before anything else; a program
// that only has it preloaded would call through pointers that its start sets, unless it allocated first.
void __lsan_init(void);

__attribute__((constructor)) static void Start(void) { __lsan_init(); }
