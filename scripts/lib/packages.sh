# Sourced by the scripts: Debian packages and the Swift toolchain. Needs common.sh.

# What building takes.
build_packages=(
  libsodium-dev libuv1-dev libsqlite3-dev libedit-dev libqrencode-dev libutf8proc-dev pkg-config
)

# Prints those of the named Debian packages that are missing.
missing_packages() {
  local package have
  # It fails where it does not know one of them; what it says of the others counts.
  have=" $({ dpkg-query --show --showformat '${db:Status-Abbrev}${Package}\n' "$@" 2> /dev/null || true; } |
    sed -n 's/^.i //p' | tr '\n' ' ')"
  for package in "$@"; do
    [[ $have == *" $package "* ]] || echo "$package"
  done
}

# Installs those of the named Debian packages that are missing.
need_packages() {
  command -v dpkg-query > /dev/null || return 0 # Not a Debian: the build says what it lacks.
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0

  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
      as_root=(sudo -n)
    else
      die "these packages are missing; as root run: apt-get install ${missing[*]}"
    fi
  fi
  step "installing ${missing[*]}"
  quietly "${as_root[@]}" apt-get update || die "apt-get update failed"
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${missing[@]}" || die "apt-get install failed"
}

# The same for servers; those that it installs are not started, neither now nor when the machine starts.
need_stopped_packages() {
  command -v dpkg-query > /dev/null || return 0
  local package missing policy=/usr/sbin/policy-rc.d made=false status=0 as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  [[ $(id -u) == 0 ]] || as_root=(sudo -n)
  # What Debian's packages ask before they start a service. A policy that is there already stays as it is.
  if [[ ! -e $policy ]] && printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null 2>&1; then
    made=true
    "${as_root[@]}" chmod 755 "$policy"
  fi
  (need_packages "${missing[@]}") || status=$?
  if $made; then "${as_root[@]}" rm -f "$policy"; fi
  if command -v systemctl > /dev/null; then
    for package in "${missing[@]}"; do
      "${as_root[@]}" systemctl disable "${package/#openssh-server/ssh}" > /dev/null 2>&1 || true
    done
  fi
  return "$status"
}

# Stops unless there is a Swift that can build the package.
need_swift() {
  local want=6.2 have
  command -v swift > /dev/null || die "Swift is missing: install $want or later from https://swift.org/install"
  have=$(swift_version)
  if [[ -z $have ]]; then
    # It links some of the same libraries.
    need_packages "${build_packages[@]}"
    have=$(swift_version)
  fi
  [[ -n $have ]] || die "'swift --version' fails: install what $want or later from https://swift.org/install needs"
  [[ $(printf '%s\n' "$want" "$have" | sort -V | head -n 1) == "$want" ]] ||
    die "Swift $have is too old: install $want or later from https://swift.org/install"
}

swift_version() {
  { swift --version 2> /dev/null || true; } | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1
}
