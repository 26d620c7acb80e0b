"""The language of policies: small, typed, without loops, and the same for people and programs.

A policy is a JSON document. `rules.read` checks it once and turns it into frozen values; what is
not in the language is refused with its path and a reason. `judging.judge` works a claim out and
says why; what lowers a booking's price is compiled by `compiling` into what rating already uses.
"""
