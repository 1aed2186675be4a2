# Sourced by ./run and ./check: what a bare Debian 12 lacks, by package name.
build_packages="g++ make pkg-config autoconf automake libtool autoconf-archive libnice-dev libsrtp2-dev libssl-dev libusrsctp-dev
libwebsockets-dev libjansson-dev libconfig-dev libfmt-dev libspdlog-dev libexpected-dev libcli11-dev libcppunit-dev libcurl4-openssl-dev
libmosquitto-dev"
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] && build_packages="$build_packages libipsec-mb-dev"
test_packages="clang-format chromium ethtool firefox-esr fonts-dejavu-core iproute2 mosquitto openssl python3-aiortc python3-websockets"
command -v node >/dev/null 2>&1 || test_packages="$test_packages nodejs"
command -v npm >/dev/null 2>&1 || test_packages="$test_packages npm"

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_missing PACKAGE...: those that are not there, with apt; nothing is asked and nothing done when all are there.
install_missing() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  command -v apt-get >/dev/null || { echo "These packages are missing, and there is no apt-get:$missing" >&2; return 1; }
  echo "Installing:$missing"
  as_root apt-get update -q >/dev/null &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >/dev/null
}

# build_house: configures once into ./build, builds, installs below ./build/root. Quick when nothing changed.
build_house() {
  [ -x configure ] && [ configure -nt configure.ac ] || ./bootstrap >/dev/null || return 1
  mkdir -p build
  if [ ! -f build/config.status ]; then
    (cd build && ../configure --quiet --prefix="$PWD/root" ${CARDEA_CONFIGURE:-}) || return 1
  fi
  make -C build --no-print-directory -j"$(nproc)" && make -C build --no-print-directory install >/dev/null
}
