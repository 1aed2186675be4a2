// One client's place at the video room: nobody yet, a publisher or a subscriber; what it is first, it stays.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cardea/plugin.hpp"
#include "publisher.hpp"
#include "subscription.hpp"

namespace cardea::videoroom {

class Rooms;

enum Role : unsigned { nobody = 1, publisher = 2, subscriber = 4 };

class Seat final : public Attachment {
public:
  Seat(Handle& client, Rooms& rooms) : client_(client), rooms_(rooms) {}

  Reply handle(Message message) override;
  void on_negotiated() override;
  void on_media_up() override;
  void on_media_down(std::string_view reason) override;
  void on_data(DataMessage message) override;
  void on_slow_link(const SlowLink& link) override;
  void on_layers(SenderId sender, const CurrentLayers& now) override;
  void on_talking(ReceiverId receiver, bool talking, double level) override;
  Json describe() const override;

  // Who may ask for what, before the request is read (videoroom.md section 1).
  Status admit(const std::string& verb, unsigned roles) const;
  Sizes sizes() const;

  // For the handlers: the client itself, and what it is here (after admit() the right one is there).
  Handle& client() { return client_; }
  Rooms& rooms() { return rooms_; }
  bool publishes() const { return publisher_ != nullptr; }
  Publisher& as_publisher() { return *publisher_; }
  Subscription& as_subscriber() { return *subscription_; }
  void become(std::unique_ptr<Publisher> who) { publisher_ = std::move(who); }
  void become(std::unique_ptr<Subscription> who) { subscription_ = std::move(who); }

private:
  Json describe_publisher() const;
  Json describe_subscriber() const;

  // given
  Handle& client_;
  Rooms& rooms_;
  // owned: at most one of the two
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace cardea::videoroom
