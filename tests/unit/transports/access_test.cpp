// Networks, proxies, origins, and the memory that clients share: no sockets.
#include <cppunit/extensions/HelperMacros.h>

#include "common/access.hpp"
#include "common/address.hpp"
#include "common/stock.hpp"

namespace cardea::transports::test {

class AccessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AccessTest);
  CPPUNIT_TEST(networks_contain_their_addresses);
  CPPUNIT_TEST(a_client_is_an_ipv4_address_or_an_ipv6_64);
  CPPUNIT_TEST(the_client_is_the_last_hop_that_is_no_proxy);
  CPPUNIT_TEST(origins_are_compared_whole);
  CPPUNIT_TEST(a_little_memory_is_always_there);
  CPPUNIT_TEST_SUITE_END();

public:
  void networks_contain_their_addresses() {
    struct Row {
      const char *network, *address;
      bool contained;
    };
    for (const auto& [network, address, contained] :
         {Row{"10.0.0.0/8", "10.255.0.1", true}, Row{"10.0.0.0/8", "11.0.0.1", false},
          Row{"192.0.2.128/25", "192.0.2.127", false}, Row{"192.0.2.128/25", "192.0.2.200", true},
          Row{"0.0.0.0/0", "203.0.113.1", true}, Row{"0.0.0.0/0", "2001:db8::1", false},
          Row{"2001:db8::/33", "2001:db8:7fff::1", true}, Row{"2001:db8::/33", "2001:db8:8000::1", false},
          Row{"::1", "::1", true}, Row{"::1", "::2", false}, Row{"::/0", "10.0.0.1", true},
          Row{"127.0.0.1", "::ffff:127.0.0.1", true}, Row{"127.0.0.1", "", false}, Row{"127.0.0.1", "junk", false}})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(network, contained, Network::parse(network)->contains(address));
    for (const char* junk : {"", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "/8", "10.0.0.0/"})
      CPPUNIT_ASSERT_MESSAGE(junk, !Network::parse(junk));
  }

  void a_client_is_an_ipv4_address_or_an_ipv6_64() {
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.1"), client_key("192.0.2.1"));
    CPPUNIT_ASSERT_EQUAL(client_key("2001:db8:1:2::1"), client_key("2001:db8:1:2:ffff::1"));
    CPPUNIT_ASSERT(client_key("2001:db8:1:2::1") != client_key("2001:db8:1:3::1"));
    CPPUNIT_ASSERT_EQUAL(std::string(), client_key(""));
  }

  void the_client_is_the_last_hop_that_is_no_proxy() {
    const Proxies proxies = *Proxies::parse({"10.0.0.0/8", "2001:db8::/32", "unix:"});
    struct Row {
      const char *peer, *forwarded, *client;
    };
    for (const auto& [peer, forwarded, client] :
         {Row{"192.0.2.1", "203.0.113.9", "192.0.2.1"}, Row{"10.0.0.1", "", "10.0.0.1"},
          Row{"10.0.0.1", "192.0.2.1", "192.0.2.1"}, Row{"10.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"},
          Row{"10.0.0.1", "203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"},
          Row{"10.0.0.1", "192.0.2.1,\t[2001:db8::5]:4711 ", "192.0.2.1"},
          Row{"10.0.0.1", "192.0.2.1:4711", "192.0.2.1"}, Row{"", "192.0.2.1", "192.0.2.1"},
          Row{"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"}, Row{"10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"},
          Row{"10.0.0.1", "192.0.2.1,", "10.0.0.1"}, Row{"10.0.0.1", "[", "10.0.0.1"},
          Row{"10.0.0.1", ",,,", "10.0.0.1"}})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(forwarded, std::string(client), proxies.client_of(peer, forwarded));
    CPPUNIT_ASSERT_EQUAL(std::string("10.0.0.1"), Proxies().client_of("10.0.0.1", "192.0.2.1"));
    CPPUNIT_ASSERT(!Proxies::parse({"10.0.0.0/8", "nginx"}));
  }

  void origins_are_compared_whole() {
    const Origins one = Origins::for_clients({.allow_origin = "https://good.example", .enforce = true});
    CPPUNIT_ASSERT(one.admits("https://good.example", ""));
    CPPUNIT_ASSERT(one.admits("", "https://good.example/a/page?x"));
    for (const char* other : {"https://good.example.evil.example", "https://good.example:444", "http://good.example",
                              "null", "", "https://good.exampl"}) {
      CPPUNIT_ASSERT_MESSAGE(other, !one.admits(other, ""));
      CPPUNIT_ASSERT_MESSAGE(other, !one.admits("", other));
    }
    CPPUNIT_ASSERT(Origins::for_clients({.allow_origin = "https://good.example"}).admits("https://other.example", ""));
    const Origins admin = Origins::for_admins({.allow_origin = "*"});
    CPPUNIT_ASSERT(admin.admits("", "https://any.example/") && !admin.admits("https://any.example", ""));
    CPPUNIT_ASSERT(admin.headers().empty());
  }

  void a_little_memory_is_always_there() {
    Stock stock(1'000'000);
    Share greedy(stock), modest(stock);
    CPPUNIT_ASSERT(greedy.take(1'000'000) && !greedy.take(1));
    CPPUNIT_ASSERT(modest.take(Share::always) && !modest.take(1));
    greedy.give_back(500'000);
    CPPUNIT_ASSERT(modest.take(100'000));
    { Share passing(std::move(modest)); }
    CPPUNIT_ASSERT_EQUAL(size_t{500'000}, stock.held());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AccessTest);

}  // namespace cardea::transports::test
