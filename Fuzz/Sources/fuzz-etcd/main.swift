import FuzzDriver
import FuzzLaws

FuzzDriver.run(.etcd)
