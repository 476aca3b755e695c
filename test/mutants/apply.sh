#!/bin/sh
# SPDX-License-Identifier: MIT
# Do the lines that the mutants replace still stand where they did?
exec "$(dirname "$0")/mutants.sh" --apply
