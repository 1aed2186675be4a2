// The numbers of RTCP: packet types, feedback formats, SDES items. For the reader and the builders only.
#pragma once

#include <cstdint>

namespace cardea::rtp {

// RFC 3550 section 12.1, RFC 4585 section 6.1.
inline constexpr uint8_t rtcp_sr = 200, rtcp_rr = 201, rtcp_sdes = 202, rtcp_bye = 203, rtcp_rtpfb = 205,
                         rtcp_psfb = 206;
// RTPFB: RFC 4585 section 6.2, and the transport-wide draft.
inline constexpr uint8_t fmt_nack = 1, fmt_transport = 15;
// PSFB: RFC 4585 section 6.3, RFC 5104 section 4.3.
inline constexpr uint8_t fmt_pli = 1, fmt_fir = 4, fmt_application = 15;
// RFC 3550 section 6.5.1.
inline constexpr uint8_t sdes_cname = 1;

}  // namespace cardea::rtp
