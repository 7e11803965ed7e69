import pytest

pytest.register_assert_rewrite("goalrunner_shared.conformance")
