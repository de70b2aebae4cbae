import pytest

from studies.paths import check_endpoint, open_path

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch):
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:9000", "https://s3.eu-1.example.com", "https://minio.example.com/", "HTTP://H",
        "http://127.0.0.1:9000/store", "http://[::1]:9000",
    ],
)  # fmt: skip
def test_the_address_of_a_server_is_taken(address):
    check_endpoint("endpoint", address)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:9000", "localhost", "", "http://", "http://:9000", "http:localhost:9000",
        "ftp://localhost:9000", "http://localhost:port", "http://my_host:9000", "http://a b",
        "http://localhost:9000\n",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_refused_with_what_to_write(address):
    with pytest.raises(ValueError, match=r"^endpoint must be http://HOST:PORT or https://") as told:
        check_endpoint("endpoint", address)
    assert str(told.value).endswith(f"but got {address!r}")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_server_that_the_environment_names_is_checked_where_it_is_used(name, monkeypatch):
    pytest.importorskip("s3fs")
    monkeypatch.setenv(name, "localhost:9000")
    told = f"^cannot be reached: {name} must be http://.*, but got 'localhost:9000'$"
    with pytest.raises(ValueError, match=told):
        open_path("s3://bucket/runs")
    open_path("runs")
    open_path("memory://bucket/runs")


def test_of_two_servers_the_one_for_s3_is_used(monkeypatch):
    pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://localhost:9000")
    open_path("s3://bucket/runs")
