#!/usr/bin/env bash
# Installs Java 17 from Debian's packages where it is missing, for the tests of the Spark engine.
# Where it cannot, it says so and goes on: those tests are then skipped.
set -euo pipefail

needed=17

version() {
  java -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p'
}

is_there() {
  command -v java > /dev/null && [ "$(version)" -ge "$needed" ] 2> /dev/null
}

skipped() {
  echo "java: $1; the tests of the Spark engine will be skipped." >&2
  exit 0
}

is_there && exit 0
command -v apt-get > /dev/null || skipped "no Java $needed, and no apt-get to install it"
[ "$(id -u)" -eq 0 ] || skipped "no Java $needed, and only root can install it"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq > /dev/null || skipped "no Java $needed, and the list of packages cannot be read"
apt-get install -qq --yes --no-install-recommends "openjdk-$needed-jre-headless" > /dev/null ||
  skipped "openjdk-$needed-jre-headless cannot be installed"
is_there || skipped "openjdk-$needed-jre-headless is installed, but java does not start"
