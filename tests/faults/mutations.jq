# SPDX-License-Identifier: Apache-2.0
# What is wrong with a report, one line for each; nothing when all is right.
# Expectations: "private=impostor,public?changed/missing":
# "=": each of $labels has a finding of that class with one of these verdicts (and user cu1); "?": it may have. Every other finding
# has to pass (or has one of the verdicts $background), and so has every finding of a label that is not among $allowed.
($labels | split(",")) as $labels | ($allowed | split(",")) as $allowed
| { private: "private-key", public: "public-key", secret: "secret-key", certificate: "certificate", data: "data", other: "0x00000005" } as $classes
| ($expected | split(",") | map(capture("^(?<class>[a-z]+)(?<need>[=?])(?<verdicts>.*)$")
    | { class: $classes[.class], need: (.need == "="), verdicts: (.verdicts | split("/")) })) as $expected
| .verdict as $verdict | .verification.keys as $keys
| (if ($run | split("/") | index($verdict)) then empty else "the run is \($verdict) instead of \($run)" end),
  ($keys[] | select(.outcome != "pass") | . as $f
    | select(($background | split("/") | index($f.verdict)) == null)
    | select(($allowed | index($f.label)) == null
        or all($expected[]; .class != $f.class or (.verdicts | index($f.verdict)) == null))
    | "\($f.login) \($f.class) \($f.label) is \($f.verdict)" + (if $f.reason then " (\($f.reason))" else "" end)),
  ($expected[] | select(.need) | . as $e | $labels[] | . as $one
    | select(any($keys[]; . as $f | $f.login == "cu1" and $f.class == $e.class and $f.label == $one and ($e.verdicts | index($f.verdict))) | not)
    | "no \($e.class) \($one) is \($e.verdicts | join("/")): \([$keys[] | select(.login == "cu1" and .class == $e.class and .label == $one) | .verdict] | join(","))"),
  ($keys[] | select($attribute != "" and .verdict == "changed") | . as $f
    | select(any($f.changes[]; .attribute == $attribute) | not)
    | "\($f.class) \($f.label): the change of \($attribute) is not named")
