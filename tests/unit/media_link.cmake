# Media links and chat text.
rosey_add_test(media_link_test
  SOURCES media_link/accepted_test.cpp
          media_link/invariants_test.cpp
          media_link/refused_test.cpp
          media_link/text_test.cpp
          ../fuzz/media_link_invariants.cpp
  LIBRARIES playlist_core
  LABELS unit)
