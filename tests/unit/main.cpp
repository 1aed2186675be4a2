// Runs the CppUnit tests linked into this program and prints TAP. Arguments: parts of test names to run only those;
// --list. A test that hangs ends the program after 30 seconds, by name.
#include <cppunit/Exception.h>
#include <cppunit/Test.h>
#include <cppunit/TestFailure.h>
#include <cppunit/TestListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr unsigned seconds_per_test = 30;
char running[256];

void on_alarm(int) {
  constexpr char words[] = "Bail out! no end after 30 s: ";
  (void)!write(1, words, sizeof words - 1);
  (void)!write(1, running, strlen(running));
  (void)!write(1, "\n", 1);
  _exit(1);
}

void collect(CppUnit::Test* test, std::vector<CppUnit::Test*>& into) {
  if (test->getChildTestCount() == 0 && test->countTestCases() == 1) into.push_back(test);
  for (int i = 0; i < test->getChildTestCount(); ++i) collect(test->getChildTestAt(i), into);
}

struct Listener : CppUnit::TestListener {
  std::string failure;
  void addFailure(const CppUnit::TestFailure& f) override {
    failure = f.sourceLine().fileName() + ":" + std::to_string(f.sourceLine().lineNumber()) + "\n" +
              f.thrownException()->message().shortDescription() + "\n" + f.thrownException()->message().details();
  }
};

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  CppUnit::Test* all = CppUnit::TestFactoryRegistry::getRegistry().makeTest();
  std::vector<CppUnit::Test*> found, tests;
  collect(all, found);
  for (auto* test : found) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) wanted = wanted || test->getName().find(argv[i]) != std::string::npos;
    if (wanted) tests.push_back(test);
  }
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (auto* test : found) puts(test->getName().c_str());
    return 0;
  }
  signal(SIGALRM, on_alarm);
  printf("1..%zu\n", tests.size());
  int failed = 0;
  for (size_t i = 0; i < tests.size(); ++i) {
    std::string name = tests[i]->getName();
    snprintf(running, sizeof running, "%s", name.c_str());
    Listener listener;
    CppUnit::TestResult result;
    result.addListener(&listener);
    alarm(seconds_per_test);
    tests[i]->run(&result);
    alarm(0);
    printf("%s %zu - %s\n", listener.failure.empty() ? "ok" : "not ok", i + 1, name.c_str());
    if (!listener.failure.empty()) {
      ++failed;
      for (size_t at = 0; at < listener.failure.size();) {
        size_t end = listener.failure.find('\n', at);
        if (end == std::string::npos) end = listener.failure.size();
        printf("# %s\n", listener.failure.substr(at, end - at).c_str());
        at = end + 1;
      }
    }
  }
  delete all;
  return failed == 0 ? 0 : 1;
}
