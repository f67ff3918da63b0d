# Decisions need nothing else; the plugin is tested whole, on a fake bus and real storage.
rosey_add_test(playlist_domain_test
  SOURCES playlist/change_test.cpp
          playlist/channel_cache_test.cpp
          playlist/channel_knowledge_test.cpp
          playlist/channel_knowledge_walk_test.cpp
          playlist/config_test.cpp
          playlist/fair_order_test.cpp
          playlist/limits_test.cpp
          playlist/queue_rules_test.cpp
          playlist/resolver_test.cpp
          playlist/site_answers_test.cpp
  LIBRARIES playlist_core
  LABELS unit)

rosey_add_test(playlist_plugin_test
  SOURCES playlist/world.cpp
          playlist/answered_once_test.cpp
          playlist/async_mutex_test.cpp
          playlist/bad_input_test.cpp
          playlist/clock_test.cpp
          playlist/commands_test.cpp
          playlist/concurrency_test.cpp
          playlist/crowd_test.cpp
          playlist/docs_test.cpp
          playlist/events_test.cpp
          playlist/fake_message_bus_test.cpp
          playlist/flood_test.cpp
          ../fakes/https_server.cpp
          playlist/hostile_site_test.cpp
          playlist/import_steps_test.cpp
          playlist/late_change_test.cpp
          playlist/lost_answers_test.cpp
          playlist/media_lists_test.cpp
          playlist/media_sites_test.cpp
          playlist/metadata_test.cpp
          playlist/outage_test.cpp
          playlist/payload_limit_test.cpp
          playlist/playback_test.cpp
          playlist/quota_test.cpp
          playlist/restart_test.cpp
          playlist/services_test.cpp
          playlist/votes_test.cpp
  LIBRARIES playlist_core rosey_storage fmt::fmt
  LABELS unit)
target_compile_definitions(playlist_plugin_test PRIVATE
  ROSEY_DOCS="${PROJECT_SOURCE_DIR}/docs"
  ROSEY_MIGRATIONS="${PROJECT_SOURCE_DIR}/migrations")
