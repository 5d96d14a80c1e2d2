"""Test vectors for implementations in any language: made, verified, and answers to them judged."""
