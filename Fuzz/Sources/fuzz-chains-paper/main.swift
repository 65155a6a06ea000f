import FuzzDriver
import FuzzLaws

FuzzDriver.run(.chainsPaper)
