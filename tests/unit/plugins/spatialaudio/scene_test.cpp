#include <cppunit/extensions/HelperMacros.h>

#include <cmath>

#include "scene.hpp"

namespace cardea::spatialaudio {
namespace {

class SceneTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SceneTest);
  CPPUNIT_TEST(the_axes_are_those_of_the_map);
  CPPUNIT_TEST(pitch_lifts_the_nose_and_roll_lowers_the_right_ear);
  CPPUNIT_TEST(what_touches_has_no_direction);
  CPPUNIT_TEST(doubling_the_distance_halves_the_sound);
  CPPUNIT_TEST(a_cone_is_quieter_behind);
  CPPUNIT_TEST(a_wall_stands_between_its_two_sides_only);
  CPPUNIT_TEST(walls_add_up_and_40_db_let_nothing_through);
  CPPUNIT_TEST(a_private_zone_is_heard_inside_only);
  CPPUNIT_TEST(a_stage_is_heard_everywhere);
  CPPUNIT_TEST(the_loudest_are_chosen_and_the_ignored_are_not);
  CPPUNIT_TEST(two_equally_loud_voices_do_not_alternate);
  CPPUNIT_TEST(a_turn_takes_the_shorter_way);
  CPPUNIT_TEST_SUITE_END();

  static Place at(double x, double y, const SceneSettings& scene = {}, double heading = 0) {
    Place place;
    place.stand({{x, y, 0}, {heading, 0, 0}}, scene);
    return place;
  }
  static double azimuth(double x, double y, double heading) {
    return Head({{0, 0, 0}, {heading, 0, 0}}).direction_to({x, y, 0}).azimuth;
  }
  std::vector<Heard> choose(const Place& listener, std::vector<Place>& others, const SceneSettings& scene,
                            const Personal& personal = {}, std::span<const Heard> before = {}) {
    std::vector<Candidate> candidates;
    for (size_t i = 0; i < others.size(); ++i) candidates.push_back({static_cast<SourceId>(i + 1), &others[i]});
    Selection selection;
    const auto chosen = selection.choose(listener, personal, 0, candidates, scene, before);
    return {chosen.begin(), chosen.end()};
  }

  void the_axes_are_those_of_the_map() {
    CPPUNIT_ASSERT_DOUBLES_EQUAL(90, azimuth(1, 0, 0), 1e-9);  // larger x: the right ear
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0, azimuth(0, -1, 0), 1e-9);  // up the map: in front
    CPPUNIT_ASSERT_DOUBLES_EQUAL(180, std::abs(azimuth(0, 1, 0)), 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0, azimuth(1, 0, 90), 1e-9);  // 90 looks towards +x
    CPPUNIT_ASSERT_DOUBLES_EQUAL(90, azimuth(0, 1, 90), 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(-90, azimuth(0, -1, 90), 1e-9);
  }

  void pitch_lifts_the_nose_and_roll_lowers_the_right_ear() {
    const auto direction = [](Orientation orientation, Point to) { return Head({{}, orientation}).direction_to(to); };
    CPPUNIT_ASSERT_DOUBLES_EQUAL(90, direction({}, {0, 0, 1}).elevation, 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0, direction({0, 90, 0}, {0, 0, 1}).elevation, 1e-6);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(-30, direction({0, 30, 0}, {0, -1, 0}).elevation, 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(30, direction({0, 0, 30}, {1, 0, 0}).elevation, 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(-30, direction({0, 0, 30}, {-1, 0, 0}).elevation, 1e-9);
  }

  void what_touches_has_no_direction() {
    const Direction here = Head({{3, 4, 0}, {70, 0, 0}}).direction_to({3, 4, 0});
    CPPUNIT_ASSERT_EQUAL(0.0, here.azimuth);
    CPPUNIT_ASSERT_EQUAL(0.0, here.elevation);
  }

  void doubling_the_distance_halves_the_sound() {
    const DistanceLaw law;
    CPPUNIT_ASSERT_EQUAL(1.0, law.gain(0.1));
    CPPUNIT_ASSERT_EQUAL(1.0, law.gain(1));
    for (double distance : {1.0, 2.0, 5.0, 11.0, 22.0})
      CPPUNIT_ASSERT_DOUBLES_EQUAL(6.02, 20 * std::log10(law.gain(distance) / law.gain(2 * distance)), 0.01);
    CPPUNIT_ASSERT_EQUAL(0.0, law.gain(50));
    CPPUNIT_ASSERT(law.gain(49) < law.gain(47) / 2);  // it fades out before
    const DistanceLaw slower{.reference = 2, .max = 100, .rolloff = 0.5};
    CPPUNIT_ASSERT_DOUBLES_EQUAL(2 / (2 + 0.5 * 8), slower.gain(10), 1e-12);
  }

  void a_cone_is_quieter_behind() {
    const Cone cone{.inner = 60, .outer = 180, .outer_gain = 0.1};
    CPPUNIT_ASSERT_EQUAL(1.0, cone.gain(30));
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.55, cone.gain(60), 1e-12);
    CPPUNIT_ASSERT_EQUAL(0.1, cone.gain(120));
    const Head head({{}, {90, 0, 0}});
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0, off_axis(head, {2, 0, 0}), 1e-6);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(180, off_axis(head, {-2, 0, 0}), 1e-6);
    CPPUNIT_ASSERT_EQUAL(0.0, off_axis(head, {0, 0, 0}));
  }

  void a_wall_stands_between_its_two_sides_only() {
    const Wall wall{0, -1, 0, 1, 20};
    CPPUNIT_ASSERT(wall.between({-1, 0, 0}, {1, 0, 0}));
    CPPUNIT_ASSERT(wall.between({1, 0.5, 0}, {-1, 0, 3}));
    CPPUNIT_ASSERT(!wall.between({-1, 0, 0}, {-2, 0, 0}));
    CPPUNIT_ASSERT(!wall.between({-1, 3, 0}, {1, 3, 0}));  // past its end
    CPPUNIT_ASSERT(!wall.between({1, 0, 0}, {1, 0, 0}));
  }

  void walls_add_up_and_40_db_let_nothing_through() {
    const std::vector<Wall> walls{{0, -1, 0, 1, 20}, {1, -1, 1, 1, 15}, {2, -1, 2, 1, 5}};
    const auto db = [&](double x) { return 20 * std::log10(wall_gain({-1, 0, 0}, {x, 0, 0}, walls)); };
    CPPUNIT_ASSERT_DOUBLES_EQUAL(-20, db(0.5), 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(-35, db(1.5), 1e-9);
    CPPUNIT_ASSERT_EQUAL(0.0, wall_gain({-1, 0, 0}, {3, 0, 0}, walls));
  }

  void a_private_zone_is_heard_inside_only() {
    SceneSettings scene;
    scene.zones.push_back({.name = "table", .x = 0, .y = 0, .radius = 2, .is_private = true});
    std::vector<Place> others{at(1, 0, scene), at(3, 0, scene)};
    const auto inside = choose(at(-1, 0, scene), others, scene), outside = choose(at(4, 0, scene), others, scene);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, inside.size());
    CPPUNIT_ASSERT_EQUAL(SourceId{1}, inside[0].source);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outside.size());
    CPPUNIT_ASSERT_EQUAL(SourceId{2}, outside[0].source);
  }

  void a_stage_is_heard_everywhere() {
    SceneSettings scene;
    scene.zones.push_back({.name = "stage", .x = 0, .y = 0, .width = 10, .height = 5, .stage = true});
    scene.walls.push_back({0, 50, 10, 50, 60});
    std::vector<Place> others{at(5, 2, scene)};
    const auto heard = choose(at(5, 100, scene), others, scene);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, heard.size());
    CPPUNIT_ASSERT_EQUAL(1.0f, heard[0].gain);
  }

  void the_loudest_are_chosen_and_the_ignored_are_not() {
    SceneSettings scene;
    scene.audible = 2;
    std::vector<Place> others{at(8, 0), at(2, 0), at(4, 0), at(16, 0)};
    auto heard = choose(at(0, 0), others, scene);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, heard.size());
    CPPUNIT_ASSERT_EQUAL(SourceId{2}, heard[0].source);
    CPPUNIT_ASSERT_EQUAL(SourceId{3}, heard[1].source);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.5, heard[0].gain, 1e-6);
    const Personal personal{.gains = {{4, 10}}, .ignored = {2}};
    heard = choose(at(0, 0), others, scene, personal);
    CPPUNIT_ASSERT_EQUAL(SourceId{3}, heard[0].source);
    CPPUNIT_ASSERT_EQUAL(SourceId{4}, heard[1].source);
  }

  void two_equally_loud_voices_do_not_alternate() {
    SceneSettings scene;
    scene.audible = 1;
    std::vector<Place> others{at(2.2, 0), at(2, 0)};
    const auto first = choose(at(0, 0), others, scene);
    CPPUNIT_ASSERT_EQUAL(SourceId{2}, first[0].source);
    others[1] = at(2.4, 0);  // a little further now than the other
    CPPUNIT_ASSERT_EQUAL(SourceId{2}, choose(at(0, 0), others, scene, {}, first)[0].source);
    others[1] = at(4, 0);
    CPPUNIT_ASSERT_EQUAL(SourceId{1}, choose(at(0, 0), others, scene, {}, first)[0].source);
  }

  void a_turn_takes_the_shorter_way() {
    const Pose from{{0, 0, 0}, {170, 0, 0}}, to{{2, 0, 0}, {-170, 0, 0}};
    const Pose half = between(from, to, 0.5);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(180, std::abs(half.orientation.heading), 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(1, half.position.x, 1e-9);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SceneTest);

}  // namespace
}  // namespace cardea::spatialaudio
